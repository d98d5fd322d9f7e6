// SPDX-License-Identifier: Apache-2.0
#include "crypto/merkle.h"

#include <bit>
#include <utility>

#include "base/assert.h"
#include "crypto/digest.h"

namespace sandtrail {
namespace {

constexpr std::string_view kLeafPrefix("\0", 1);
constexpr std::string_view kNodePrefix("\1", 1);

Bytes root_of_range(const std::vector<Bytes>& hashes, std::size_t begin, std::size_t size) {
  if (size == 1) return hashes[begin];
  const std::size_t left = std::bit_floor(size - 1);
  return merkle_node_hash(root_of_range(hashes, begin, left),
                          root_of_range(hashes, begin + left, size - left));
}

}  // namespace

Bytes merkle_leaf_hash(BytesView entry) {
  return sha256_of({kLeafPrefix, entry});
}

Bytes merkle_node_hash(BytesView left, BytesView right) {
  return sha256_of({kNodePrefix, left, right});
}

Bytes merkle_root(const std::vector<Bytes>& leaf_hashes) {
  if (leaf_hashes.empty()) return sha256("");
  return root_of_range(leaf_hashes, 0, leaf_hashes.size());
}

void MerkleFrontier::append(Bytes leaf_hash) {
  ST_ASSERT(leaf_hash.size() == kDigestBytes);
  // As in binary addition: every trailing one bit of the size is a carry that joins two subtrees.
  Bytes hash = std::move(leaf_hash);
  for (std::uint64_t carry = size_; (carry & 1) != 0; carry >>= 1) {
    hash = merkle_node_hash(subtrees_.back(), hash);
    subtrees_.pop_back();
  }
  subtrees_.push_back(std::move(hash));
  ++size_;
}

Bytes MerkleFrontier::root() const {
  if (subtrees_.empty()) return sha256("");
  Bytes hash = subtrees_.back();
  for (std::size_t i = subtrees_.size() - 1; i-- > 0;) {
    hash = merkle_node_hash(subtrees_[i], hash);
  }
  return hash;
}

Bytes MerkleFrontier::serialize() const {
  Bytes out;
  put_be64(out, size_);
  for (const Bytes& hash : subtrees_) out += hash;
  return out;
}

Result<MerkleFrontier> MerkleFrontier::parse(BytesView bytes) {
  const Error malformed{ErrorCode::invalid_argument, "malformed Merkle frontier", ""};
  if (bytes.size() < 8) return malformed;
  MerkleFrontier frontier;
  frontier.size_ = get_be64(bytes);
  bytes.remove_prefix(8);
  const auto subtrees = static_cast<std::size_t>(std::popcount(frontier.size_));
  if (bytes.size() != subtrees * kDigestBytes) return malformed;
  for (std::size_t i = 0; i < subtrees; ++i) {
    frontier.subtrees_.emplace_back(bytes.substr(i * kDigestBytes, kDigestBytes));
  }
  return frontier;
}

}  // namespace sandtrail
