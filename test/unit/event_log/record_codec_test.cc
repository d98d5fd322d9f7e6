// SPDX-License-Identifier: Apache-2.0
#include "event_log/record_codec.h"

#include <doctest/doctest.h>

#include "base/limits.h"
#include "base/random.h"
#include "event_log/crc32c.h"

using namespace sandtrail;

namespace {

const TopicPartition kWhere{"events", 3};
constexpr Position kPosition{41};
constexpr UnixMs kStamp{1'700'000'000'123};
constexpr std::uint64_t kPrevious = 0x1122334455667788;

Record sample() {
  return {"org_1", {{"ce_id", "evt_1"}, {"", Bytes("\0\xff", 2)}, {"ce_id", ""}}, "{\"a\":1}"};
}

Bytes stored(const Record& record) {
  auto encoded = encode_record(kWhere, record);
  REQUIRE(encoded.ok());
  seal_record(*encoded, kPosition, kStamp, kPrevious);
  return encoded->bytes;
}

}  // namespace

TEST_CASE("a record comes back as it was stored") {
  for (const Record& record : {sample(), Record{}, Record{"", {}, Bytes(100'000, 'x')}}) {
    auto encoded = encode_record(kWhere, record);
    REQUIRE(encoded.ok());
    const std::uint64_t running = seal_record(*encoded, kPosition, kStamp, kPrevious);
    const auto decoded = decode_record(kWhere, kPosition, encoded->bytes);
    REQUIRE(decoded.ok());
    CHECK((decoded->stored.record == record));
    CHECK(decoded->stored.position == kPosition);
    CHECK(decoded->stored.stamp == kStamp);
    CHECK(decoded->previous == kPrevious);
    CHECK(decoded->running == running);
  }
}

TEST_CASE("the stored form is version 1, byte for byte") {
  CHECK(hex(stored({"k", {{"h", "c"}}, "v"})) ==
        "01"
        "f380e0aa"
        "0000018bcfe5687b"
        "1122334455667788"
        "000000016b"
        "00000001"
        "0000000168"
        "0000000163"
        "0000000176");
}

TEST_CASE("a record that is sealed again differs only in place, and both are sound") {
  auto encoded = encode_record(kWhere, sample());
  REQUIRE(encoded.ok());
  seal_record(*encoded, {1}, kStamp, 0);
  const Bytes first = encoded->bytes;
  seal_record(*encoded, {2}, kStamp, 7);
  CHECK(decode_record(kWhere, {1}, first).ok());
  CHECK(decode_record(kWhere, {2}, encoded->bytes).ok());
}

TEST_CASE("misplaced bytes are corrupt") {
  const Bytes bytes = stored(sample());
  CHECK(decode_record(kWhere, kPosition, bytes).ok());
  const struct {
    TopicPartition where;
    Position position;
  } rows[] = {{{"events", 3}, {42}}, {{"events", 2}, {41}}, {{"event", 3}, {41}}};
  for (const auto& row : rows) {
    const auto decoded = decode_record(row.where, row.position, bytes);
    REQUIRE(!decoded.ok());
    CHECK(decoded.error().code == ErrorCode::corrupt);
    CHECK(decoded.error().message.find(row.where.text()) != std::string::npos);
  }
}

TEST_CASE("every flipped bit, every cut and every appended byte is corrupt") {
  const Bytes bytes = stored(sample());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    Bytes damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    REQUIRE(decode_record(kWhere, kPosition, damaged).error().code == ErrorCode::corrupt);
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    REQUIRE(!decode_record(kWhere, kPosition, BytesView(bytes).substr(0, size)).ok());
  }
  CHECK(!decode_record(kWhere, kPosition, bytes + '\0').ok());
}

TEST_CASE("a body that lies about its lengths is corrupt even under a right checksum") {
  const auto original = encode_record(kWhere, sample());
  REQUIRE(original.ok());
  Bytes place = "\x01";
  put_be32(place, 6);
  place += "events";
  put_be32(place, 3);
  int refused = 0;
  for (std::size_t at = 21; at < original->bytes.size(); ++at) {
    for (const char value : {'\x00', '\x01', '\x7f', '\x80', '\xff'}) {
      EncodedRecord forged = *original;
      forged.bytes[at] = value;
      forged.checksum = crc32c(BytesView(forged.bytes).substr(21), crc32c(place));
      seal_record(forged, kPosition, kStamp, kPrevious);
      const auto decoded = decode_record(kWhere, kPosition, forged.bytes);
      refused += decoded.ok() ? 0 : 1;
      // What passes is another record, in its only form.
      if (decoded.ok()) CHECK(stored(decoded->stored.record) == forged.bytes);
    }
  }
  CHECK(refused > 100);
  SeededRandom random(3);
  for (int i = 0; i < 2000; ++i) {
    REQUIRE(!decode_record(kWhere, kPosition, "\x01" + random.bytes(random.below(80))).ok());
  }
}

TEST_CASE("records over a limit are refused") {
  Record record;
  record.value = Bytes(limits::kRecordBytesMax, 'x');
  CHECK(check_record(record).ok());
  record.key = "k";
  CHECK(encode_record(kWhere, record).error().code == ErrorCode::invalid_argument);
  record.value.clear();
  record.headers.resize(limits::kRecordHeadersMax);
  CHECK(check_record(record).ok());
  record.headers.resize(limits::kRecordHeadersMax + 1);
  CHECK(encode_record(kWhere, record).error().code == ErrorCode::invalid_argument);
}
