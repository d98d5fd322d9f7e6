// SPDX-License-Identifier: Apache-2.0
// Bytes of one response in, head and body out (RFC 9112). Interim responses (1xx) are skipped.
// Holds the parser of Beast behind itself. Not thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "http/message.h"

namespace sandtrail::http {

class ResponseReader {
 public:
  enum class State {
    head,      // not yet whole
    body,      // more of it to come
    complete,  // whole
    stopped,   // the sink said so
    failed     // see failure()
  };
  // Takes pieces of the body once the head is whole; false stops.
  using Sink = std::function<bool(BytesView)>;

  ResponseReader(bool to_head_request, Sink sink);
  ~ResponseReader();

  State feed(BytesView bytes);
  State end();  // the peer closed
  State state() const { return state_; }
  const std::string& failure() const { return failure_; }

  // From State::body on.
  int status() const { return status_; }
  Fields& fields() { return fields_; }
  // After State::complete: another request may follow on this connection.
  bool keep_alive() const { return keep_alive_; }

 private:
  struct Parser;

  State fail(std::string why);
  bool read_head();
  void check_head();
  void read_body();

  const bool to_head_request_;
  const Sink sink_;
  State state_ = State::head;
  std::string failure_;
  int status_ = 0;
  Fields fields_;
  bool keep_alive_ = false;
  std::string pending_;
  std::size_t scanned_ = 0;
  std::size_t interim_bytes_ = 0;
  std::unique_ptr<Parser> parser_;
};

}  // namespace sandtrail::http
