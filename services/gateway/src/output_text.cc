// SPDX-License-Identifier: Apache-2.0
#include "output_text.h"

#include <algorithm>
#include <charconv>

#include "base/limits.h"
#include "codec/text.h"
#include "http/sse.h"
#include "text.h"

namespace sandtrail::gateway {
namespace {

// More than any execution has: attempts that were refused count as well.
constexpr std::int64_t kAttemptMax = 1'000'000'000;

struct AttemptData {
  std::int64_t number = 0;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("number", s.number);
  }
};

struct PieceData {
  std::int64_t offset = 0;
  std::optional<std::string> text;
  std::optional<Blob> base64;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("offset", s.offset);
    v("text", s.text);
    v("base64", s.base64);
  }
};

struct TruncatedData {
  OutputStream stream = OutputStream::out;
  std::int64_t offset = 0;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("stream", s.stream);
    v("offset", s.offset);
  }
};

struct GapData {
  std::string reason;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("reason", s.reason);
  }
};

struct FinishedData {
  ExecutionStatus status = ExecutionStatus::finished;
  std::optional<Verdict> verdict;
  std::optional<std::int64_t> exit_code;
  std::optional<std::int64_t> signal;
  std::optional<std::string> reason;
  std::optional<std::int64_t> out_bytes, err_bytes;
  std::optional<bool> out_truncated, err_truncated;
  bool erased = false;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("status", s.status);
    v("verdict", s.verdict);
    v("exit_code", s.exit_code);
    v("signal", s.signal);
    v("reason", s.reason);
    v("stdout_bytes", s.out_bytes);
    v("stdout_truncated", s.out_truncated);
    v("stderr_bytes", s.err_bytes);
    v("stderr_truncated", s.err_truncated);
    v("erased", s.erased);
  }
};

template <typename Data>
std::string event_text(std::string_view name, const Data& data, const OutputCursor& cursor) {
  return http::sse_text({text_of(cursor), std::string(name), to_text(data)});
}

bool is_cheap_text(BytesView bytes) {
  constexpr std::size_t kAlwaysCheap = 16;
  if (!is_utf8(bytes)) return false;
  std::size_t more = 0;  // that JSON needs for its escapes
  for (const char c : bytes) {
    const bool short_form = std::string_view("\"\\\b\f\n\r\t").find(c) != std::string_view::npos;
    if (short_form) {
      more += 1;
    } else if (static_cast<unsigned char>(c) < ' ') {
      more += 5;
    }
  }
  return more <= kAlwaysCheap + bytes.size() / 2;
}

}  // namespace

std::string text_of(const OutputCursor& cursor) {
  return std::to_string(cursor.attempt) + "-" + std::to_string(cursor.seen.out) + "-" +
         std::to_string(cursor.seen.err);
}

std::optional<OutputCursor> parse_cursor(std::string_view text) {
  std::int64_t numbers[3] = {};
  for (int i = 0; i < 3; ++i) {
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, numbers[i]);
    if (parsed.ec != std::errc() || numbers[i] < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
    if (i == 2) break;
    if (!text.starts_with('-')) return std::nullopt;
    text.remove_prefix(1);
  }
  const auto [attempt, out, err] = numbers;
  const bool bounded = attempt <= kAttemptMax && std::max(out, err) <= limits::kOutputBytesMax;
  if (!text.empty() || !bounded) return std::nullopt;
  return OutputCursor{attempt, {out, err}};
}

std::vector<OutputPieces::Piece> OutputPieces::add(BytesView bytes) {
  held_ += bytes;
  return take(whole_characters(held_));
}

std::vector<OutputPieces::Piece> OutputPieces::flush() {
  return take(held_.size());
}

std::vector<OutputPieces::Piece> OutputPieces::take(std::size_t bytes) {
  std::vector<Piece> out;
  BytesView rest = BytesView(held_).substr(0, bytes);
  while (!rest.empty()) {
    // Where that is no text, any cut will do.
    BytesView piece = utf8_prefix(rest, limits::kLiveChunkBytesMax);
    if (piece.empty()) piece = rest.substr(0, limits::kLiveChunkBytesMax);
    out.push_back({offset_, Bytes(piece)});
    offset_ += static_cast<std::int64_t>(piece.size());
    rest.remove_prefix(piece.size());
  }
  held_.erase(0, bytes);
  return out;
}

std::string attempt_event(const OutputCursor& cursor) {
  return event_text("attempt", AttemptData{cursor.attempt}, cursor);
}

std::string piece_event(OutputStream stream, const OutputPieces::Piece& piece,
                        const OutputCursor& cursor) {
  PieceData data;
  data.offset = piece.offset;
  if (is_cheap_text(piece.bytes)) {
    data.text = piece.bytes;
  } else {
    data.base64 = Blob{piece.bytes};
  }
  return event_text(enum_text(stream), data, cursor);
}

std::string truncated_event(OutputStream stream, const OutputCursor& cursor) {
  return event_text("truncated", TruncatedData{stream, cursor.seen.of(stream)}, cursor);
}

std::string gap_event(std::string_view reason, const OutputCursor& cursor) {
  return event_text("gap", GapData{std::string(reason)}, cursor);
}

std::string finished_event(const ExecutionDoc& doc, const OutputCursor& cursor) {
  FinishedData data;
  data.status = doc.status;
  if (!doc.reason.empty()) data.reason = doc.reason;
  if (doc.result) {
    data.verdict = doc.result->verdict;
    data.exit_code = doc.result->exit_code;
    data.signal = doc.result->signal;
    data.out_bytes = doc.result->out.total_bytes;
    data.out_truncated = doc.result->out.truncated;
    data.err_bytes = doc.result->err.total_bytes;
    data.err_truncated = doc.result->err.truncated;
  }
  data.erased = doc.erased;
  return event_text("finished", data, cursor);
}

}  // namespace sandtrail::gateway
