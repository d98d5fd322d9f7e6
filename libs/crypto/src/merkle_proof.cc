// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <utility>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"

namespace sandtrail {
namespace {

// MTH(D[begin : begin + size]) where `begin` is a multiple of a power of two >= size, as it is for
// every range that occurs in a proof: so it falls apart into full subtrees.
Result<Bytes> range_hash(std::uint64_t begin, std::uint64_t size, const SubtreeHashAt& at) {
  if (std::has_single_bit(size)) {
    const auto level = static_cast<unsigned>(std::countr_zero(size));
    ST_ASSIGN(Bytes hash, at(level, begin >> level));
    if (hash.size() != kDigestBytes) {
      return Error{ErrorCode::corrupt, "a stored Merkle hash has not 32 bytes", ""};
    }
    return hash;
  }
  const std::uint64_t left = std::bit_floor(size - 1);
  ST_ASSIGN(const Bytes left_hash, range_hash(begin, left, at));
  ST_ASSIGN(const Bytes right_hash, range_hash(begin + left, size - left, at));
  return merkle_node_hash(left_hash, right_hash);
}

Error bad_sizes(std::string_view what) {
  return {ErrorCode::invalid_argument, std::string(what), ""};
}

Status compare(BytesView computed, BytesView stated) {
  if (computed == stated) return {};
  return Error{ErrorCode::corrupt, "the proof does not lead to the stated Merkle root", ""};
}

// Lengths of what came from outside; everything after relies on them.
bool all_digests(const MerkleProof& proof) {
  return std::all_of(proof.begin(), proof.end(),
                     [](const Bytes& hash) { return hash.size() == kDigestBytes; });
}

}  // namespace

SubtreeHashAt subtree_hashes_over(LeafHashAt leaf_hash_at) {
  return [leaf_hash_at = std::move(leaf_hash_at)](unsigned level,
                                                  std::uint64_t index) -> Result<Bytes> {
    MerkleFrontier frontier;
    const std::uint64_t begin = index << level;
    for (std::uint64_t i = 0; i < (std::uint64_t{1} << level); ++i) {
      ST_ASSIGN(Bytes hash, leaf_hash_at(begin + i));
      if (hash.size() != kDigestBytes) {
        return Error{ErrorCode::corrupt, "a stored Merkle leaf has not 32 bytes", ""};
      }
      frontier.append(std::move(hash));
    }
    return frontier.root();
  };
}

Result<MerkleProof> inclusion_proof(std::uint64_t index, std::uint64_t size,
                                    const SubtreeHashAt& subtree_hash_at) {
  if (index >= size) return bad_sizes("the tree has no such leaf");
  // From the root down to the leaf, hence from the last element of the path to the first.
  MerkleProof path;
  std::uint64_t begin = 0;
  while (size > 1) {
    const std::uint64_t left = std::bit_floor(size - 1);
    if (index - begin < left) {
      ST_ASSIGN(Bytes sibling, range_hash(begin + left, size - left, subtree_hash_at));
      path.push_back(std::move(sibling));
      size = left;
    } else {
      ST_ASSIGN(Bytes sibling, range_hash(begin, left, subtree_hash_at));
      path.push_back(std::move(sibling));
      begin += left;
      size -= left;
    }
  }
  std::reverse(path.begin(), path.end());
  return path;
}

Result<MerkleProof> consistency_proof(std::uint64_t old_size, std::uint64_t new_size,
                                      const SubtreeHashAt& subtree_hash_at) {
  if (old_size > new_size) return bad_sizes("the tree is smaller than the old one");
  MerkleProof proof;
  if (old_size == 0 || old_size == new_size) return proof;
  // SUBPROOF of RFC 6962 section 2.1.2, downwards as above. `whole`: the old tree so far is exactly
  // a tree the verifier knows the root of.
  bool whole = true;
  std::uint64_t begin = 0;
  std::uint64_t size = new_size;
  while (old_size - begin != size) {
    const std::uint64_t left = std::bit_floor(size - 1);
    if (old_size - begin <= left) {
      ST_ASSIGN(Bytes sibling, range_hash(begin + left, size - left, subtree_hash_at));
      proof.push_back(std::move(sibling));
      size = left;
    } else {
      ST_ASSIGN(Bytes sibling, range_hash(begin, left, subtree_hash_at));
      proof.push_back(std::move(sibling));
      begin += left;
      size -= left;
      whole = false;
    }
  }
  if (!whole) {
    ST_ASSIGN(Bytes rest, range_hash(begin, size, subtree_hash_at));
    proof.push_back(std::move(rest));
  }
  std::reverse(proof.begin(), proof.end());
  return proof;
}

Status verify_inclusion(std::uint64_t index, std::uint64_t size, BytesView leaf_hash,
                        const MerkleProof& proof, BytesView root) {
  if (index >= size) return bad_sizes("the tree has no such leaf");
  if (leaf_hash.size() != kDigestBytes || !all_digests(proof)) {
    return bad_sizes("a hash of the proof has not 32 bytes");
  }
  std::uint64_t node = index;
  std::uint64_t last = size - 1;  // the last node of the level that `node` is on
  Bytes hash(leaf_hash);
  for (const Bytes& sibling : proof) {
    if (last == 0) return bad_sizes("the proof is too long");
    if ((node & 1) != 0 || node == last) {
      hash = merkle_node_hash(sibling, hash);
      // The last node of a level may stand alone; then it is its own parent.
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      hash = merkle_node_hash(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return bad_sizes("the proof is too short");
  return compare(hash, root);
}

Status verify_consistency(std::uint64_t old_size, std::uint64_t new_size, BytesView old_root,
                          BytesView new_root, const MerkleProof& proof) {
  if (old_size > new_size) return bad_sizes("the tree is smaller than the old one");
  if (!all_digests(proof)) return bad_sizes("a hash of the proof has not 32 bytes");
  if (old_size == new_size || old_size == 0) {
    if (!proof.empty()) return bad_sizes("the proof is too long");
    if (old_size == 0) ST_CHECK_OK(compare(sha256(""), old_root));
    if (old_size == new_size) return compare(old_root, new_root);
    return {};
  }
  // An old tree that is one full subtree is itself the first element, so the proof leaves it out.
  std::size_t next = 0;
  Bytes first(old_root);
  if (!std::has_single_bit(old_size)) {
    if (proof.empty()) return bad_sizes("the proof is too short");
    first = proof[next++];
  }
  std::uint64_t node = old_size - 1;
  std::uint64_t last = new_size - 1;
  while ((node & 1) != 0) {
    node >>= 1;
    last >>= 1;
  }
  Bytes old_hash = first;
  Bytes new_hash = first;
  for (; next < proof.size(); ++next) {
    const Bytes& sibling = proof[next];
    if (last == 0) return bad_sizes("the proof is too long");
    if ((node & 1) != 0 || node == last) {
      old_hash = merkle_node_hash(sibling, old_hash);
      new_hash = merkle_node_hash(sibling, new_hash);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      new_hash = merkle_node_hash(new_hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return bad_sizes("the proof is too short");
  ST_CHECK_OK(compare(old_hash, old_root));
  return compare(new_hash, new_root);
}

}  // namespace sandtrail
