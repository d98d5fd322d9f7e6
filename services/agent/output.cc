// SPDX-License-Identifier: Apache-2.0
#include "output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/limits.h"

namespace sandtrail::agent {

void Output::read_some(Channel& channel, std::int64_t now_us) {
  char buffer[limits::kGuestChunkBytesMax];
  const auto count = ::read(pipe_.get(), buffer, sizeof buffer);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    pipe_.reset();
    return;
  }
  // More than that, and the program is quick: reading must keep up with it.
  if (count < limits::kGuestSmallReadBytes) {
    rests_until_us_ = now_us + limits::kGuestGather.count * 1000;
  }
  const auto room = std::max<std::int64_t>(0, kept_bytes_ - total_);
  const auto kept = std::min<std::int64_t>(room, count);
  total_ += count;
  if (kept > 0) {
    channel.send(guest::Out{stream_, Bytes(buffer, static_cast<std::size_t>(kept))});
  }
  const bool first_drop = total_ > kept_bytes_ && sent_total_ == 0;
  if (first_drop || total_ - sent_total_ >= limits::kGuestTotalStepBytes || flooded()) {
    send_total(channel);
  }
}

void Output::send_total(Channel& channel) {
  if (total_ == sent_total_) return;
  sent_total_ = total_;
  channel.send(guest::Total{stream_, total_});
}

}  // namespace sandtrail::agent
