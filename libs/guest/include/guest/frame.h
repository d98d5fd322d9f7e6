// SPDX-License-Identifier: Apache-2.0
// Frames of the agent protocol, over any byte stream (socket pair, vsock, virtio-serial). Pure.
//
//   u32 length    bytes that follow it: 9 to limits::kGuestFrameBytesMax - 4
//   u8  type      guest/messages.h; unknown types are skipped
//   u64 sequence  1, 2, 3 … in each direction; anything else means a broken peer
//   payload
//
// Integers are big-endian. Whatever comes from a guest is untrusted: every length is checked before
// anything is stored, and a decoder holds at most one frame.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"

namespace sandtrail::guest {

struct Frame {
  std::uint8_t type = 0;
  Bytes payload;
};

inline constexpr std::size_t kFrameHeaderBytes = 4 + 1 + 8;

// Numbers the frames of one direction.
class FrameEncoder {
 public:
  // Appends a frame to `out`. Asserts that the payload fits.
  void put(Bytes& out, const Frame& frame);

 private:
  std::uint64_t sequence_ = 0;
};

class FrameDecoder {
 public:
  // The next whole frame of the bytes given so far; nullopt: more are needed. corrupt: the stream
  // is broken, and every further call says so.
  Result<std::optional<Frame>> next();
  void push(BytesView bytes);
  // True in the midst of a frame.
  bool partial() const { return at_ < buffer_.size(); }

 private:
  Error fail(const char* message);

  Bytes buffer_;
  std::size_t at_ = 0;
  std::uint64_t sequence_ = 0;
  bool failed_ = false;
};

}  // namespace sandtrail::guest
