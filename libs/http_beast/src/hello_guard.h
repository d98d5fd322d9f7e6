// SPDX-License-Identifier: Apache-2.0
// What a client may send before its handshake is encrypted (RFC 8446 sections 4 and 5.1). Standard
// library only.
//
// OpenSSL takes memory for a handshake message as soon as it is announced, up to 128 KiB for four
// bytes, and 50 KiB for the first byte of a connection. So a server reads the ClientHello itself
// and hands it over when it is whole, and lets nothing pass that announces more than it may.
#pragma once

#include <array>
#include <cstddef>

#include "base/bytes.h"

namespace sandtrail::http {

// Follows the records of one connection from its first byte. Not thread-safe.
class HelloGuard {
 public:
  enum class State {
    hello,      // the first message is not whole yet
    plain,      // it is; more may follow before encryption, as a second ClientHello
    encrypted,  // what follows is bounded by OpenSSL
    http,       // no TLS, but the beginning of an HTTP request
    failed      // neither, or too long
  };
  // Takes the bytes that came next, cut anywhere.
  State feed(BytesView bytes);
  State state() const { return state_; }

 private:
  void begin_record();
  void take_content(BytesView content);
  void fail() { state_ = State::failed; }

  State state_ = State::hello;
  std::array<unsigned char, 5> record_{};  // its header: type, version, length
  std::size_t record_got_ = 0;
  std::size_t record_left_ = 0;             // content still to come
  std::array<unsigned char, 4> message_{};  // its header: type, length
  std::size_t message_got_ = 0;
  std::size_t message_left_ = 0;
  std::size_t message_bytes_ = 0;  // seen since the last message ended, framing included
};

}  // namespace sandtrail::http
