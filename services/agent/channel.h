// SPDX-License-Identifier: Apache-2.0
// The agent's end of the stream to its host.
#pragma once

#include <deque>

#include "base/result.h"
#include "guest/messages.h"

namespace sandtrail::agent {

// Not thread-safe. The descriptor is non-blocking; what cannot be sent at once waits in memory,
// bounded because output is capped before it gets here.
class Channel {
 public:
  explicit Channel(int fd) : fd_(fd) {}

  int fd() const { return fd_; }
  // Waits for the next message. cancelled: the host has closed the stream.
  Result<guest::ToAgent> receive();
  // Queues and sends what the stream takes. Errors show in receive() and closed().
  void send(const guest::FromAgent& message);
  bool unsent() const { return !out_.empty(); }
  void send_more();
  // Waits until everything is sent or the host is gone.
  void flush();
  bool closed() const { return closed_; }
  // After Run the host says nothing more; readable then means closed.
  void note_readable();

 private:
  int fd_;
  guest::FrameDecoder decoder_;
  guest::FrameEncoder encoder_;
  Bytes out_;
  bool closed_ = false;
};

}  // namespace sandtrail::agent
