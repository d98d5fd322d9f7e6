// SPDX-License-Identifier: Apache-2.0
#include "log_embedded/head_mark.h"

#include <charconv>

#include "base/file.h"
#include "base/limits.h"
#include "event_log/crc32c.h"

namespace sandtrail {
namespace {

Bytes be64(std::uint64_t value) {
  Bytes out;
  put_be64(out, value);
  return out;
}

Bytes be32(std::uint32_t value) {
  Bytes out;
  put_be32(out, value);
  return out;
}

// Takes the fields of one line; every take_*() also takes the separator before the next field.
class Line {
 public:
  explicit Line(std::string_view text) : rest_(text) {}

  bool take_word(std::string& word) {
    if (rest_.empty() || rest_[0] == ' ') return false;
    const std::size_t end = std::min(rest_.find(' '), rest_.size());
    word.assign(rest_.substr(0, end));
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return true;
  }
  template <typename Number>
  bool take_number(Number& number) {
    std::string word;
    if (!take_word(word)) return false;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    return error == std::errc{} && end == word.data() + word.size() && number >= 0;
  }
  bool take_hash(std::uint64_t& hash) {
    std::string word;
    if (!take_word(word)) return false;
    const auto raw = unhex(word);
    if (!raw || raw->size() != 8) return false;
    hash = get_be64(*raw);
    return true;
  }
  bool take_place(TopicPartition& where) {
    return take_word(where.topic) && take_number(where.partition);
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool decode_line(std::string_view text, std::size_t index, HeadMark& head) {
  Line line(text);
  std::string kind;
  if (!line.take_word(kind)) return false;
  if (index == 0) {
    int version = 0;
    return kind == "sandtrail-head" && line.take_number(version) && version == 1 && line.at_end();
  }
  if (index == 1) return kind == "identity" && line.take_word(head.identity) && line.at_end();
  if (index == 2) return kind == "boots" && line.take_number(head.boots) && line.at_end();
  if (kind == "mark" && head.reports.empty()) {
    HeadMark::Mark& mark = head.marks.emplace_back();
    return line.take_place(mark.where) && line.take_number(mark.tail.value) &&
           line.take_hash(mark.running) && line.at_end();
  }
  if (kind != "report") return false;
  HeadMark::Report& report = head.reports.emplace_back();
  return line.take_word(report.group) && line.take_place(report.where) &&
         line.take_number(report.durable.value) && line.at_end();
}

}  // namespace

Bytes encode_head_mark(const HeadMark& head) {
  Bytes out = "sandtrail-head 1\nidentity " + head.identity + "\nboots " +
              std::to_string(head.boots) + "\n";
  for (const HeadMark::Mark& mark : head.marks) {
    out += "mark " + mark.where.topic + " " + std::to_string(mark.where.partition) + " " +
           std::to_string(mark.tail.value) + " " + hex(be64(mark.running)) + "\n";
  }
  for (const HeadMark::Report& report : head.reports) {
    out += "report " + report.group + " " + report.where.topic + " " +
           std::to_string(report.where.partition) + " " + std::to_string(report.durable.value) +
           "\n";
  }
  return out + "checksum " + hex(be32(crc32c(out))) + "\n";
}

Result<HeadMark> decode_head_mark(BytesView text) {
  const Error damaged{ErrorCode::corrupt, "the log's head mark is damaged", ""};
  constexpr std::size_t kLastLineBytes = 18;  // "checksum 1a2b3c4d\n"
  if (text.size() < kLastLineBytes) return damaged;
  BytesView lines = text.substr(0, text.size() - kLastLineBytes);
  if (text.substr(lines.size()) != "checksum " + hex(be32(crc32c(lines))) + "\n") return damaged;
  HeadMark head;
  std::size_t index = 0;
  for (; !lines.empty(); ++index) {
    const std::size_t end = lines.find('\n');
    if (end == BytesView::npos || !decode_line(lines.substr(0, end), index, head)) return damaged;
    lines.remove_prefix(end + 1);
  }
  if (index < 3 || encode_head_mark(head) != text) return damaged;
  return head;
}

Result<HeadMark> read_head_mark(const std::string& directory) {
  ST_ASSIGN(const Bytes text, read_file(directory + "/head", limits::kHeadMarkBytesMax));
  return decode_head_mark(text);
}

}  // namespace sandtrail
