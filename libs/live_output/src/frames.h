// SPDX-License-Identifier: Apache-2.0
// The events of the data plane, as bytes and back: live_output/output_endpoint.h has the format.
#pragma once

#include <string>
#include <variant>

#include "base/result.h"
#include "http/sse.h"
#include "live_output/output_source.h"

namespace sandtrail::live_output {

struct ChunkFrame {
  OutputStream stream = OutputStream::out;
  std::int64_t offset = 0;
  Blob bytes;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("stream", s.stream);
    v("offset", s.offset);
    v("bytes", s.bytes);
  }
};
struct CutFrame {
  OutputStream stream = OutputStream::out;
  OutputCut cut = OutputCut::cap;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("stream", s.stream);
    v("cut", s.cut);
  }
};
struct EndFrame {
  OutputEnd end = OutputEnd::over;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("end", s.end);
  }
};
using Frame = std::variant<ChunkFrame, CutFrame, EndFrame>;

Bytes text_of(const Frame& frame);
// corrupt: none of ours. Members of later versions are ignored.
Result<Frame> parse_frame(const http::SseEvent& event);

// The path and query of an attempt's output.
std::string path_of(const ExecutionId& execution, std::int64_t attempt, const OutputOffsets& from);
struct Asked {
  ExecutionId execution;
  std::int64_t attempt = 0;
  OutputOffsets from;
};
// not_found: another path; invalid_argument: the query.
Result<Asked> parse_path(std::string_view path, std::string_view query);

}  // namespace sandtrail::live_output
