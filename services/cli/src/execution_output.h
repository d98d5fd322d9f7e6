// SPDX-License-Identifier: Apache-2.0
// What came of an execution, as its document says.
#pragma once

#include <cstdint>
#include <string>

#include "api.h"
#include "session.h"

namespace sandtrail::cli {

// True once nothing more can happen to it but its bill and erasure.
bool is_over(const json::value& execution);
// The bytes of "stdout" or "stderr", exactly.
Bytes stream_bytes(const json::value& execution, const std::string& name);
// Both streams to our own; notes what was cut.
void write_streams(Session& session, const json::value& execution);

// Of a document or the last event of live output: what was cut, and what is erased.
void note_gone(Session& session, const json::value& execution);

// What a program writes, to our own streams as it comes; by bytes, whatever they are.
class LiveOutput {
 public:
  explicit LiveOutput(Session& session) : session_(session) {}

  // Until the end, or until nobody reads it any more. Errors as those of Api::events(): what was
  // not seen stands in the execution's document.
  Status follow(Api& api, const std::string& id, Api::EventOptions options);
  // What was not seen of the execution, and what is gone.
  void write_rest(const json::value& execution);
  bool unread() const { return unread_; }  // nobody reads standard output any more
  // What the last event said; null before it.
  const json::value& end() const { return end_; }

 private:
  bool take(const http::SseEvent& event);
  void take_bytes(bool out, const json::value& data);

  Session& session_;
  std::int64_t attempt_ = 0;
  std::size_t out_bytes_ = 0;
  std::size_t err_bytes_ = 0;
  bool unread_ = false;
  json::value end_;
};

// "ok in 12.3 ms, 0.0031 credits, exe_…".
std::string summary_of(const Session& session, const json::value& execution);
// Of `run`: cli/cli.h.
int exit_code_of(const json::value& execution);

}  // namespace sandtrail::cli
