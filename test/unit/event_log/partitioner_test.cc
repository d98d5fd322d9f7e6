// SPDX-License-Identifier: Apache-2.0
#include "event_log/partitioner.h"

#include <doctest/doctest.h>

#include <set>

#include "event_log/crc32c.h"

using namespace sandtrail;

TEST_CASE("FNV-1a gives the published values, also in pieces") {
  CHECK(fnv1a64("") == 0xcbf29ce484222325u);
  CHECK(fnv1a64("a") == 0xaf63dc4c8601ec8cu);
  CHECK(fnv1a64("foobar") == 0x85944171f73967e8u);
  CHECK(fnv1a64("bar", fnv1a64("foo")) == fnv1a64("foobar"));
}

TEST_CASE("an organisation's partition never changes, and all partitions are used") {
  // Part of every existing log's identity: a change here is a change of format.
  const auto org = OrgId::derived("0123456789abcdef");
  CHECK(partition_of(org, 1) == 0);
  CHECK(partition_of(org, 4) == static_cast<std::int32_t>(fnv1a64("0123456789abcdef") % 4));
  CHECK(partition_of(org, 4) == 1);
  CHECK(partition_of(org, 16) == 13);
  SeededRandom random(1);
  std::set<std::int32_t> used;
  for (int i = 0; i < 1000; ++i) used.insert(partition_of(OrgId::derived(random.bytes(16)), 16));
  CHECK(used.size() == 16);
  CHECK(*used.begin() == 0);
  CHECK(*used.rbegin() == 15);
}

TEST_CASE("CRC-32C gives the published values, by instruction and by table, also in pieces") {
  const struct {
    Bytes bytes;
    std::uint32_t checksum;
  } rows[] = {
      // RFC 3720, appendix B.4; the last is the usual check value.
      {Bytes(32, '\0'), 0x8a9136aa},
      {Bytes(32, '\xff'), 0x62a8ab43},
      {"", 0},
      {"123456789", 0xe3069283},
  };
  for (const auto& row : rows) {
    CHECK(crc32c(row.bytes) == row.checksum);
    CHECK(crc32c_by_table(row.bytes) == row.checksum);
  }
  SeededRandom random(2);
  for (std::size_t size = 0; size < 100; ++size) {
    const Bytes bytes = random.bytes(size);
    const BytesView view(bytes);
    CHECK(crc32c(bytes) == crc32c_by_table(bytes));
    CHECK(crc32c(view.substr(size / 3), crc32c(view.substr(0, size / 3))) == crc32c(bytes));
  }
}
