// SPDX-License-Identifier: Apache-2.0
// Server-sent events (text/event-stream): WHATWG HTML, section 9.2, as writer and as reader.
//
// event = *( "id:" text LF / "event:" text LF / "data:" text LF ) LF; a line that starts with ":"
// is a comment. Lines may end in LF, CR or CRLF; we write LF.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace sandtrail::http {

struct SseEvent {
  std::string id;     // "": none was sent with it (a reader: the last one that was)
  std::string event;  // "": a plain message
  Bytes data;         // lines separated by LF; a CR or CRLF in it arrives as LF
};

// The event as it is sent. Line breaks and NUL cannot stand in an id or a type and are left out.
std::string sse_text(const SseEvent& event);
// A heartbeat: keeps the connection busy, no reader sees it. Line breaks are left out.
std::string sse_comment(std::string_view text = "");
// Asks the reader to wait this long before it connects again.
std::string sse_retry(Millis wait);

// Reads a stream in pieces cut anywhere. Not thread-safe.
class SseParser {
 public:
  using OnEvent = std::function<void(const SseEvent&)>;
  // Takes bytes and calls `on_event` for each event that they complete. Fails with overloaded once
  // a line or the data of an event is over limits::kSseEventBytesMax; then nothing more is read.
  Status feed(BytesView bytes, const OnEvent& on_event);

  // To go on after a lost connection (Last-Event-ID).
  const std::string& last_event_id() const { return id_; }
  std::optional<Millis> retry() const { return retry_; }

 private:
  Status end_line(const OnEvent& on_event);
  void dispatch(const OnEvent& on_event);

  std::string line_;
  std::string id_;          // committed by the end of an event
  std::string id_pending_;  // of the event being read
  std::string event_;
  Bytes data_;  // each line followed by LF
  std::optional<Millis> retry_;
  bool skip_line_feed_ = false;  // the last byte was CR
  bool first_line_ = true;
  bool failed_ = false;
};

}  // namespace sandtrail::http
