// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "crypto/digest.h"
#include "crypto/merkle.h"

using namespace sandtrail;

namespace {

constexpr std::size_t kLeaves = 64;

// Leaf i is the single byte i.
struct Tree {
  std::vector<Bytes> leaves;
  std::vector<Bytes> roots;  // by size
  SubtreeHashAt hashes;

  Tree() {
    MerkleFrontier frontier;
    roots.push_back(frontier.root());
    for (std::size_t i = 0; i < kLeaves; ++i) {
      leaves.push_back(merkle_leaf_hash(Bytes(1, static_cast<char>(i))));
      frontier.append(leaves.back());
      roots.push_back(frontier.root());
    }
    hashes = subtree_hashes_over([this](std::uint64_t index) -> Result<Bytes> {
      if (index >= leaves.size()) return Error{ErrorCode::not_found, "no leaf", ""};
      return leaves[index];
    });
  }
};

// Every way to damage a proof by one step.
std::vector<MerkleProof> damaged(const MerkleProof& proof) {
  std::vector<MerkleProof> out;
  for (std::size_t i = 0; i < proof.size(); ++i) {
    MerkleProof changed = proof;
    changed[i][31] = static_cast<char>(changed[i][31] ^ 1);
    out.push_back(changed);
    MerkleProof shorter = proof;
    shorter.erase(shorter.begin() + static_cast<long>(i));
    out.push_back(shorter);
    MerkleProof cut = proof;
    cut[i].pop_back();
    out.push_back(cut);
  }
  MerkleProof longer = proof;
  longer.push_back(Bytes(32, 'x'));
  out.push_back(longer);
  if (proof.size() > 1) out.emplace_back(proof.rbegin(), proof.rend());
  return out;
}

bool refused(const Status& status) {
  return !status.ok() && (status.error().code == ErrorCode::corrupt ||
                          status.error().code == ErrorCode::invalid_argument);
}

}  // namespace

TEST_CASE("inclusion proofs: every leaf of every tree up to 64, equal to the reference") {
  const Tree tree;
  Sha256 all;
  for (std::uint64_t size = 1; size <= kLeaves; ++size) {
    for (std::uint64_t index = 0; index < size; ++index) {
      const auto proof = inclusion_proof(index, size, tree.hashes);
      REQUIRE(proof.ok());
      for (const Bytes& hash : *proof) all.update(hash);
      REQUIRE(verify_inclusion(index, size, tree.leaves[index], *proof, tree.roots[size]).ok());
    }
  }
  // Computed with Python's hashlib straight from the recursion of RFC 6962 section 2.1.1.
  CHECK(hex(all.finish()) == "5601b22ed7d83190e79b81a3512e0977a7225be0e32a0fa968c9e4d20cd6b473");
}

TEST_CASE("consistency proofs: every pair of trees up to 64, equal to the reference") {
  const Tree tree;
  Sha256 all;
  for (std::uint64_t size = 1; size <= kLeaves; ++size) {
    for (std::uint64_t old_size = 0; old_size <= size; ++old_size) {
      const auto proof = consistency_proof(old_size, size, tree.hashes);
      REQUIRE(proof.ok());
      for (const Bytes& hash : *proof) all.update(hash);
      REQUIRE(
          verify_consistency(old_size, size, tree.roots[old_size], tree.roots[size], *proof).ok());
    }
  }
  CHECK(hex(all.finish()) == "ca04516c086549670889a022a6b2609f0f5b74814ce936780c0951bd5ed5c2b7");
}

TEST_CASE("inclusion proofs: damage, another leaf, index, size or root is refused") {
  const Tree tree;
  for (std::uint64_t size = 1; size <= 20; ++size) {
    for (std::uint64_t index = 0; index < size; ++index) {
      const MerkleProof proof = *inclusion_proof(index, size, tree.hashes);
      const Bytes& leaf = tree.leaves[index];
      const Bytes& root = tree.roots[size];
      for (const MerkleProof& bad : damaged(proof)) {
        CHECK(refused(verify_inclusion(index, size, leaf, bad, root)));
      }
      CHECK(refused(verify_inclusion(index, size, tree.leaves[index + 1], proof, root)));
      CHECK(refused(verify_inclusion(index, size, leaf.substr(1), proof, root)));
      CHECK(refused(verify_inclusion(index, size, leaf, proof, tree.roots[size + 1])));
      CHECK(refused(verify_inclusion(index, size, leaf, proof, "")));
      CHECK(refused(verify_inclusion(size, size, leaf, proof, root)));
      if (size > 1) CHECK(refused(verify_inclusion(index ^ 1, size, leaf, proof, root)));
    }
  }
}

TEST_CASE("consistency proofs: damage and other roots are refused") {
  const Tree tree;
  for (std::uint64_t size = 1; size <= 20; ++size) {
    for (std::uint64_t old_size = 0; old_size <= size; ++old_size) {
      const MerkleProof proof = *consistency_proof(old_size, size, tree.hashes);
      const Bytes& old_root = tree.roots[old_size];
      for (const MerkleProof& bad : damaged(proof)) {
        CHECK(refused(verify_consistency(old_size, size, old_root, tree.roots[size], bad)));
      }
      const Bytes& wrong = tree.roots[size + 1];
      CHECK(refused(verify_consistency(old_size, size, wrong, tree.roots[size], proof)));
      if (old_size > 0) {
        CHECK(refused(verify_consistency(old_size, size, old_root, wrong, proof)));
      }
    }
  }
}

TEST_CASE("proofs: sizes that make no sense, and errors of the hash source") {
  const Tree tree;
  CHECK(inclusion_proof(0, 0, tree.hashes).error().code == ErrorCode::invalid_argument);
  CHECK(inclusion_proof(5, 5, tree.hashes).error().code == ErrorCode::invalid_argument);
  CHECK(consistency_proof(6, 5, tree.hashes).error().code == ErrorCode::invalid_argument);
  CHECK(inclusion_proof(0, 65, tree.hashes).error().code == ErrorCode::not_found);
  CHECK(consistency_proof(3, 100, tree.hashes).error().code == ErrorCode::not_found);
  const SubtreeHashAt broken = [](unsigned, std::uint64_t) -> Result<Bytes> { return Bytes("x"); };
  CHECK(inclusion_proof(0, 2, broken).error().code == ErrorCode::corrupt);
  CHECK(refused(verify_consistency(6, 5, tree.roots[6], tree.roots[5], {})));
  CHECK(refused(verify_consistency(0, 5, tree.roots[1], tree.roots[5], {})));
  CHECK(refused(verify_inclusion(0, 0, tree.leaves[0], {}, tree.roots[0])));
  // The greatest sizes there are must end in an answer as well.
  const std::uint64_t most = ~std::uint64_t{0};
  CHECK(refused(verify_inclusion(most - 1, most, tree.leaves[0], MerkleProof(64, Bytes(32, 'x')),
                                 tree.roots[1])));
  CHECK(refused(verify_consistency(most - 1, most, tree.roots[1], tree.roots[2],
                                   MerkleProof(64, Bytes(32, 'x')))));
}
