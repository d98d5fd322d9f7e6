// SPDX-License-Identifier: Apache-2.0
#include "crypto/merkle.h"

#include <doctest/doctest.h>

#include <bit>
#include <string>
#include <vector>

using namespace sandtrail;

namespace {

std::vector<Bytes> numbered_leaves(std::size_t count) {
  std::vector<Bytes> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(merkle_leaf_hash(std::to_string(i)));
  return out;
}

}  // namespace

TEST_CASE("merkle: the roots of the eight reference leaves") {
  const char* const leaves[] = {"",
                                "00",
                                "10",
                                "2021",
                                "3031",
                                "40414243",
                                "5051525354555657",
                                "606162636465666768696a6b6c6d6e6f"};
  const char* const roots[] = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                               "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                               "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                               "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                               "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                               "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                               "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                               "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                               "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  std::vector<Bytes> hashes;
  MerkleFrontier frontier;
  CHECK(hex(merkle_root(hashes)) == roots[0]);
  CHECK(hex(frontier.root()) == roots[0]);
  for (std::size_t i = 0; i < 8; ++i) {
    hashes.push_back(merkle_leaf_hash(*unhex(leaves[i])));
    frontier.append(hashes.back());
    CHECK(hex(merkle_root(hashes)) == roots[i + 1]);
    CHECK(hex(frontier.root()) == roots[i + 1]);
  }
  CHECK(frontier.size() == 8);
}

TEST_CASE("merkle: a frontier always has the root of all its leaves, also after a round trip") {
  const auto leaves = numbered_leaves(600);
  MerkleFrontier frontier;
  for (std::size_t size = 0; size < leaves.size(); ++size) {
    const Bytes stored = frontier.serialize();
    CHECK(stored.size() == 8 + 32 * static_cast<std::size_t>(std::popcount(size)));
    auto parsed = MerkleFrontier::parse(stored);
    REQUIRE(parsed.ok());
    CHECK(*parsed == frontier);
    frontier = *parsed;
    const std::vector<Bytes> prefix(leaves.begin(), leaves.begin() + static_cast<long>(size));
    REQUIRE(frontier.root() == merkle_root(prefix));
    frontier.append(leaves[size]);
  }
}

TEST_CASE("merkle: a frontier of another length than its size says is refused") {
  MerkleFrontier frontier;
  for (const Bytes& leaf : numbered_leaves(5)) frontier.append(leaf);
  const Bytes good = frontier.serialize();
  Bytes other_size = good;
  other_size[7] = 7;
  for (const Bytes& bad :
       {Bytes(), good.substr(0, 7), good.substr(0, good.size() - 1), good + "x", other_size}) {
    const auto parsed = MerkleFrontier::parse(bad);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().code == ErrorCode::invalid_argument);
  }
}
