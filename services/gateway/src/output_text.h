// SPDX-License-Identifier: Apache-2.0
// Streams of output as server-sent events: their ids, their data, and where pieces are cut. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "documents.h"
#include "live_output/output_source.h"

namespace sandtrail::gateway {

// Where a reader is; as the id of an event "ATTEMPT-STDOUT-STDERR", the bytes it has of each.
struct OutputCursor {
  std::int64_t attempt = 0;  // 0: none yet
  OutputOffsets seen;
};
std::string text_of(const OutputCursor& cursor);
std::optional<OutputCursor> parse_cursor(std::string_view text);

// Cuts one stream into pieces for events: at most limits::kLiveChunkBytesMax each, and no
// character apart. Bytes that may be the beginning of a character are held back.
class OutputPieces {
 public:
  struct Piece {
    std::int64_t offset = 0;
    Bytes bytes;
  };

  explicit OutputPieces(std::int64_t offset = 0) : offset_(offset) {}
  std::vector<Piece> add(BytesView bytes);
  std::vector<Piece> flush();  // what is held back as well
  // The offset that add() goes on from.
  std::int64_t received() const { return offset_ + static_cast<std::int64_t>(held_.size()); }

 private:
  std::vector<Piece> take(std::size_t bytes);

  std::int64_t offset_;
  Bytes held_;
};

// Events. `cursor` says where the reader is after it.
std::string attempt_event(const OutputCursor& cursor);
// As text, or as base64 where it is none, or where its JSON would be more than half as long again
// (control characters): so a stream's whole backlog stays below what a connection may buffer.
std::string piece_event(OutputStream stream, const OutputPieces::Piece& piece,
                        const OutputCursor& cursor);
std::string truncated_event(OutputStream stream, const OutputCursor& cursor);
// Live output stops here; what is missed comes later, at the latest with the result.
std::string gap_event(std::string_view reason, const OutputCursor& cursor);
std::string finished_event(const ExecutionDoc& doc, const OutputCursor& cursor);

}  // namespace sandtrail::gateway
