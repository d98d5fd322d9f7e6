// SPDX-License-Identifier: Apache-2.0
#include "event_log/record_codec.h"

#include <array>

#include "base/limits.h"
#include "event_log/crc32c.h"
#include "event_log/partitioner.h"

namespace sandtrail {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kChecksumAt = 1;
constexpr std::size_t kStampAt = 5;
constexpr std::size_t kBodyAt = 21;  // version, checksum, stamp, previous

void put_text(Bytes& out, BytesView text) {
  put_be32(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

void overwrite_be32(Bytes& out, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) {
    out[at + i] = static_cast<char>((value >> (8 * (3 - i))) & 0xff);
  }
}

void overwrite_be64(Bytes& out, std::size_t at, std::uint64_t value) {
  overwrite_be32(out, at, static_cast<std::uint32_t>(value >> 32));
  overwrite_be32(out, at + 4, static_cast<std::uint32_t>(value & 0xffffffff));
}

// The checksum over everything the appender knows.
std::uint32_t checksum_of_body(char version, const TopicPartition& where, BytesView body) {
  Bytes place;
  place.reserve(where.topic.size() + 9);
  place += version;
  put_text(place, where.topic);
  put_be32(place, static_cast<std::uint32_t>(where.partition));
  return crc32c(body, crc32c(place));
}

std::uint32_t checksum_with_place(std::uint32_t checksum, Position position,
                                  BytesView stamp_and_previous) {
  std::array<char, 8> place;
  for (std::size_t i = 0; i < place.size(); ++i) {
    place[i] = static_cast<char>((position.value >> (8 * (7 - i))) & 0xff);
  }
  return crc32c(stamp_and_previous, crc32c({place.data(), place.size()}, checksum));
}

std::uint64_t running_after(std::uint64_t previous, std::uint32_t checksum) {
  Bytes link;
  put_be64(link, previous);
  put_be32(link, checksum);
  return fnv1a64(link);
}

// Takes length-prefixed texts off the front of the body; never reads past its end.
class BodyReader {
 public:
  explicit BodyReader(BytesView body) : rest_(body) {}

  bool take_number(std::uint32_t& number) {
    if (rest_.size() < 4) return false;
    number = get_be32(rest_);
    rest_.remove_prefix(4);
    return true;
  }
  bool take_text(Bytes& text) {
    std::uint32_t length = 0;
    if (!take_number(length) || length > rest_.size()) return false;
    text.assign(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return true;
  }
  bool at_end() const { return rest_.empty(); }

 private:
  BytesView rest_;
};

bool decode_body(BytesView body, Record& record) {
  BodyReader reader(body);
  std::uint32_t count = 0;
  if (!reader.take_text(record.key) || !reader.take_number(count)) return false;
  if (count > limits::kRecordHeadersMax) return false;
  record.headers.resize(count);
  for (auto& [name, content] : record.headers) {
    if (!reader.take_text(name) || !reader.take_text(content)) return false;
  }
  return reader.take_text(record.value) && reader.at_end();
}

}  // namespace

Status check_record(const Record& record) {
  if (record.headers.size() > limits::kRecordHeadersMax) {
    return Error{ErrorCode::invalid_argument,
                 "a record has at most " + std::to_string(limits::kRecordHeadersMax) + " headers",
                 ""};
  }
  if (record.size() > limits::kRecordBytesMax) {
    return Error{ErrorCode::invalid_argument,
                 "a record has at most " + std::to_string(limits::kRecordBytesMax) + " bytes",
                 "keep large payloads in the object store"};
  }
  return {};
}

Result<EncodedRecord> encode_record(const TopicPartition& where, const Record& record) {
  ST_CHECK_OK(check_record(record));
  EncodedRecord encoded;
  Bytes& out = encoded.bytes;
  out.reserve(kBodyAt + 12 + record.headers.size() * 8 + record.size());
  out += kVersion;
  out.append(kBodyAt - 1, '\0');
  put_text(out, record.key);
  put_be32(out, static_cast<std::uint32_t>(record.headers.size()));
  for (const auto& [name, content] : record.headers) {
    put_text(out, name);
    put_text(out, content);
  }
  put_text(out, record.value);
  encoded.checksum = checksum_of_body(kVersion, where, BytesView(out).substr(kBodyAt));
  return encoded;
}

std::uint64_t seal_record(EncodedRecord& encoded, Position position, UnixMs stamp,
                          std::uint64_t previous) {
  ST_ASSERT(encoded.bytes.size() >= kBodyAt);
  overwrite_be64(encoded.bytes, kStampAt, static_cast<std::uint64_t>(stamp.count));
  overwrite_be64(encoded.bytes, kStampAt + 8, previous);
  const std::uint32_t checksum = checksum_with_place(encoded.checksum, position,
                                                     BytesView(encoded.bytes).substr(kStampAt, 16));
  overwrite_be32(encoded.bytes, kChecksumAt, checksum);
  return running_after(previous, checksum);
}

Result<DecodedRecord> decode_record(const TopicPartition& where, Position position,
                                    BytesView bytes) {
  const auto corrupt = [&](const char* what) {
    return Error{ErrorCode::corrupt,
                 "record " + where.text() + " at " + std::to_string(position.value) + " " + what,
                 "restore this log from a backup"};
  };
  if (bytes.size() < kBodyAt) return corrupt("is cut short");
  if (bytes[0] != kVersion) return corrupt("has an unknown version");
  const BytesView body = bytes.substr(kBodyAt);
  const std::uint32_t stored = get_be32(bytes.substr(kChecksumAt));
  const std::uint32_t actual = checksum_with_place(checksum_of_body(bytes[0], where, body),
                                                   position, bytes.substr(kStampAt, 16));
  if (stored != actual) return corrupt("is damaged or does not belong there");
  DecodedRecord out;
  out.stored.position = position;
  out.stored.stamp = {static_cast<std::int64_t>(get_be64(bytes.substr(kStampAt)))};
  out.previous = get_be64(bytes.substr(kStampAt + 8));
  out.running = running_after(out.previous, stored);
  if (!decode_body(body, out.stored.record)) return corrupt("is malformed");
  return out;
}

}  // namespace sandtrail
