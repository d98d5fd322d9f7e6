// SPDX-License-Identifier: Apache-2.0
#include "codec/table_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>

#include "base/fd.h"

namespace sandtrail {
namespace {

constexpr std::uint64_t kMagic = 0x88e241b785f4cff7u;
constexpr std::size_t kFooterBytes = 53;  // checksum type, two handles padded, version, magic
constexpr std::size_t kHandlesBytes = 40;
constexpr std::uint32_t kHasHashIndex = 1u << 31;
constexpr std::string_view kProperties = "rocksdb.properties";
// Of a properties block with all that precedes the footer; ours have about 1 KiB.
constexpr std::size_t kTailBytesMax = 64u << 10;

template <typename Number>
Number fixed(BytesView bytes) {
  Number number = 0;
  for (std::size_t i = sizeof(Number); i-- > 0;) {
    number = static_cast<Number>(number << 8 | static_cast<unsigned char>(bytes[i]));
  }
  return number;
}

// Takes a number from the front of `bytes`.
std::optional<std::uint64_t> take_varint(BytesView& bytes) {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    number |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return number;
  }
  return std::nullopt;
}

// The end of a table file; offsets count from the start of the whole file.
struct Tail {
  BytesView bytes;
  std::uint64_t start = 0;

  // The block that a handle at the front of `handle` names.
  std::optional<BytesView> block(BytesView handle) const {
    const auto offset = take_varint(handle);
    const auto size = take_varint(handle);
    if (!offset || !size || *offset < start || *offset - start > bytes.size()) return std::nullopt;
    const BytesView from = bytes.substr(*offset - start);
    if (*size > from.size() || *size < sizeof(std::uint32_t)) return std::nullopt;
    return from.substr(0, *size);
  }
};

// The value of an entry of a block whose keys are stored whole.
std::optional<BytesView> find(BytesView block, std::string_view wanted) {
  while (!block.empty()) {
    const auto shared = take_varint(block);
    const auto key_bytes = take_varint(block);
    const auto value_bytes = take_varint(block);
    if (!shared || !key_bytes || !value_bytes || *shared != 0 || *key_bytes > block.size() ||
        *value_bytes > block.size() - *key_bytes) {
      return std::nullopt;
    }
    if (block.substr(0, *key_bytes) == wanted) return block.substr(*key_bytes, *value_bytes);
    block.remove_prefix(*key_bytes + *value_bytes);
  }
  return std::nullopt;
}

bool would_abort(const Tail& tail) {
  if (tail.bytes.size() < kFooterBytes) return false;
  const BytesView footer = tail.bytes.substr(tail.bytes.size() - kFooterBytes);
  if (fixed<std::uint64_t>(footer.substr(kFooterBytes - 8)) != kMagic) return false;
  const auto metaindex = tail.block(footer.substr(1, kHandlesBytes));
  if (!metaindex) return false;
  const auto handle = find(*metaindex, kProperties);
  const auto properties = handle ? tail.block(*handle) : std::nullopt;
  if (!properties) return false;
  // A properties block never has a hash index: only damage says so.
  return (fixed<std::uint32_t>(properties->substr(properties->size() - 4)) & kHasHashIndex) != 0;
}

Bytes read_tail(const std::string& path, std::uint64_t& start) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) return "";
  const auto size = static_cast<std::uint64_t>(status.st_size);
  start = size > kTailBytesMax ? size - kTailBytesMax : 0;
  Bytes bytes(size - start, '\0');
  const ssize_t got = ::pread(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(start));
  bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return bytes;
}

}  // namespace

bool table_would_abort(BytesView file) {
  return would_abort({file, 0});
}

Status check_table_files(const std::string& directory) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() != ".sst") continue;
    std::uint64_t start = 0;
    const Bytes bytes = read_tail(entry.path(), start);
    if (would_abort({bytes, start})) {
      return Error{ErrorCode::corrupt, entry.path().string() + " is damaged in its properties", ""};
    }
  }
  return {};
}

}  // namespace sandtrail
