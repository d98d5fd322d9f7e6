// SPDX-License-Identifier: Apache-2.0
// The Merkle tree of RFC 6962 section 2.1 (the hashing of C2SP tlog-tiles and RFC 9162): pure.
//
//   leaf  = SHA-256(0x00 ‖ entry)      node = SHA-256(0x01 ‖ left ‖ right)
//   empty = SHA-256("")                n leaves are split at the largest power of two below n
//
// All hashes are 32 bytes. Functions are thread-safe; MerkleFrontier is a value type.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace sandtrail {

Bytes merkle_leaf_hash(BytesView entry);
Bytes merkle_node_hash(BytesView left, BytesView right);
// Of all leaf hashes at once, straight from the definition; O(n) time.
Bytes merkle_root(const std::vector<Bytes>& leaf_hashes);

// What is needed to append to a tree and know its root: one hash for each bit set in its size.
class MerkleFrontier {
 public:
  std::uint64_t size() const { return size_; }
  // Amortised O(1). Asserts 32 bytes.
  void append(Bytes leaf_hash);
  Bytes root() const;

  // 8 bytes of size (big endian), then the hashes of its full subtrees, largest first.
  Bytes serialize() const;
  // invalid_argument if the length does not fit the size.
  static Result<MerkleFrontier> parse(BytesView bytes);

  bool operator==(const MerkleFrontier&) const = default;

 private:
  std::uint64_t size_ = 0;
  std::vector<Bytes> subtrees_;  // largest first
};

// The hash of the full subtree of 2^level leaves that starts at leaf index · 2^level. An error of
// it becomes the error of the proof.
using SubtreeHashAt = std::function<Result<Bytes>(unsigned level, std::uint64_t index)>;
// The hash of one leaf.
using LeafHashAt = std::function<Result<Bytes>(std::uint64_t index)>;
// Subtree hashes computed from the leaves: O(n) of them for one proof. With stored tiles a
// SubtreeHashAt makes it O(log n).
SubtreeHashAt subtree_hashes_over(LeafHashAt leaf_hash_at);

using MerkleProof = std::vector<Bytes>;

// PATH(index, D[size]) of RFC 6962 section 2.1.1. invalid_argument unless index < size.
Result<MerkleProof> inclusion_proof(std::uint64_t index, std::uint64_t size,
                                    const SubtreeHashAt& subtree_hash_at);
// PROOF(old_size, D[new_size]) of section 2.1.2; empty if old_size is 0 or new_size.
// invalid_argument unless old_size <= new_size.
Result<MerkleProof> consistency_proof(std::uint64_t old_size, std::uint64_t new_size,
                                      const SubtreeHashAt& subtree_hash_at);

// RFC 9162 section 2.1.3.2. invalid_argument if the sizes or the length of the proof make no sense,
// corrupt if it does not lead to `root`.
Status verify_inclusion(std::uint64_t index, std::uint64_t size, BytesView leaf_hash,
                        const MerkleProof& proof, BytesView root);
// RFC 9162 section 2.1.4.2, and: from the empty tree, or to the same size, only an empty proof.
Status verify_consistency(std::uint64_t old_size, std::uint64_t new_size, BytesView old_root,
                          BytesView new_root, const MerkleProof& proof);

}  // namespace sandtrail
