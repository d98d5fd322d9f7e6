// SPDX-License-Identifier: Apache-2.0
// One output stream of the program: keeps the first bytes, counts all of them.
#pragma once

#include <cstdint>

#include "base/fd.h"
#include "channel.h"
#include "guest/messages.h"

namespace sandtrail::agent {

class Output {
 public:
  Output(guest::Stream stream, std::int64_t kept_bytes, std::int64_t flood_bytes)
      : stream_(stream), kept_bytes_(kept_bytes), flood_bytes_(flood_bytes) {}

  void attach(UniqueFd pipe) { pipe_ = std::move(pipe); }
  int fd() const { return pipe_.get(); }
  bool at_end() const { return !pipe_.valid(); }
  // One read; sends what is kept, drops the rest, so that the program never waits for the host.
  void read_some(Channel& channel, std::int64_t now_us);
  // After a small read it rests, so that a program that writes byte by byte does not make a message
  // of each; the first byte after a pause is never late.
  std::int64_t rests_until_us() const { return rests_until_us_; }
  void send_total(Channel& channel);
  bool flooded() const { return total_ > flood_bytes_; }

 private:
  guest::Stream stream_;
  std::int64_t kept_bytes_;
  std::int64_t flood_bytes_;
  UniqueFd pipe_;
  std::int64_t total_ = 0;
  std::int64_t sent_total_ = 0;
  std::int64_t rests_until_us_ = 0;
};

}  // namespace sandtrail::agent
