// SPDX-License-Identifier: Apache-2.0
#include "channel.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace sandtrail::agent {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;

void wait_for(int fd, short events) {
  pollfd polled{fd, events, 0};
  (void)::poll(&polled, 1, -1);
}

}  // namespace

Result<guest::ToAgent> Channel::receive() {
  char buffer[kReadBytes];
  for (;;) {
    ST_ASSIGN(const auto frame, decoder_.next());
    if (frame) {
      ST_ASSIGN(auto message, guest::parse_to_agent(*frame));
      if (message) return std::move(*message);
      continue;
    }
    wait_for(fd_, POLLIN);
    const auto count = ::read(fd_, buffer, sizeof buffer);
    if (count > 0) {
      decoder_.push({buffer, static_cast<std::size_t>(count)});
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
      closed_ = true;
      return Error{ErrorCode::cancelled, "the host has closed the channel", ""};
    }
  }
}

void Channel::send(const guest::FromAgent& message) {
  encoder_.put(out_, guest::encode(message));
  send_more();
}

void Channel::send_more() {
  while (!out_.empty() && !closed_) {
    const auto count = ::write(fd_, out_.data(), out_.size());
    if (count > 0) {
      out_.erase(0, static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      closed_ = errno != EAGAIN;
      break;
    }
  }
}

void Channel::flush() {
  while (unsent() && !closed_) {
    wait_for(fd_, POLLOUT);
    send_more();
  }
}

void Channel::note_readable() {
  char byte = 0;
  const auto count = ::read(fd_, &byte, 1);
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) closed_ = true;
}

}  // namespace sandtrail::agent
