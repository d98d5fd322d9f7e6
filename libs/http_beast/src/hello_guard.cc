// SPDX-License-Identifier: Apache-2.0
#include "hello_guard.h"

#include <algorithm>

#include "base/limits.h"

namespace sandtrail::http {
namespace {

// RFC 8446 section 5.1 (ContentType) and section 4 (HandshakeType).
constexpr unsigned kChangeCipherSpec = 20;
constexpr unsigned kAlert = 21;
constexpr unsigned kHandshake = 22;
constexpr unsigned kApplicationData = 23;
constexpr unsigned kClientHello = 1;
constexpr std::size_t kRecordContentMax = 1u << 14;

}  // namespace

HelloGuard::State HelloGuard::feed(BytesView bytes) {
  while (!bytes.empty() && (state_ == State::hello || state_ == State::plain)) {
    const std::size_t used = record_left_ == 0 ? 1 : std::min(record_left_, bytes.size());
    message_bytes_ += used;
    if (message_bytes_ > limits::kTlsHelloBytesMax) {
      fail();
    } else if (record_left_ == 0) {
      record_[record_got_++] = static_cast<unsigned char>(bytes.front());
      if (record_got_ == 1 || record_got_ == record_.size()) begin_record();
    } else {
      record_left_ -= used;
      take_content(bytes.substr(0, used));
    }
    bytes.remove_prefix(used);
  }
  return state_;
}

// With its first byte, and with its whole header.
void HelloGuard::begin_record() {
  const unsigned type = record_[0];
  if (record_got_ == 1) {
    const bool first = state_ == State::hello && message_bytes_ == 1;
    if (first && type >= 'A' && type <= 'Z') {
      state_ = State::http;
    } else if (type == kApplicationData && state_ == State::plain) {
      state_ = State::encrypted;
    } else if (type != kHandshake &&
               (state_ == State::hello || type < kChangeCipherSpec || type > kAlert)) {
      fail();
    }
    return;
  }
  record_got_ = 0;
  record_left_ = static_cast<std::size_t>(record_[3]) << 8 | record_[4];
  // The version is 3.1 or 3.3, and to be ignored otherwise; empty records are not allowed here.
  if (record_[1] != 3 || record_left_ == 0 || record_left_ > kRecordContentMax) fail();
}

void HelloGuard::take_content(BytesView content) {
  if (record_[0] != kHandshake) return;
  while (!content.empty() && state_ != State::failed) {
    if (message_left_ == 0) {
      message_[message_got_++] = static_cast<unsigned char>(content.front());
      content.remove_prefix(1);
      if (message_got_ < message_.size()) continue;
      message_got_ = 0;
      message_left_ = static_cast<std::size_t>(message_[1]) << 16 |
                      static_cast<std::size_t>(message_[2]) << 8 | message_[3];
      // A client says nothing else unencrypted, and a hello is never empty.
      if (message_[0] != kClientHello || message_left_ == 0 ||
          message_left_ > limits::kTlsHelloBytesMax) {
        fail();
      }
      continue;
    }
    const std::size_t used = std::min(message_left_, content.size());
    message_left_ -= used;
    content.remove_prefix(used);
    if (message_left_ != 0) continue;
    state_ = State::plain;
    message_bytes_ = 0;
  }
}

}  // namespace sandtrail::http
