// SPDX-License-Identifier: Apache-2.0
#include "guest/frame.h"

#include "base/assert.h"
#include "base/limits.h"

namespace sandtrail::guest {

void FrameEncoder::put(Bytes& out, const Frame& frame) {
  ST_ASSERT(kFrameHeaderBytes + frame.payload.size() <= limits::kGuestFrameBytesMax);
  put_be32(out, static_cast<std::uint32_t>(kFrameHeaderBytes - 4 + frame.payload.size()));
  out += static_cast<char>(frame.type);
  put_be64(out, ++sequence_);
  out += frame.payload;
}

void FrameDecoder::push(BytesView bytes) {
  if (failed_) return;
  // Consumed bytes go before new ones come, so the buffer stays near one frame and one read.
  buffer_.erase(0, at_);
  at_ = 0;
  buffer_ += bytes;
}

Error FrameDecoder::fail(const char* message) {
  failed_ = true;
  buffer_.clear();
  at_ = 0;
  return Error{ErrorCode::corrupt, message, ""};
}

Result<std::optional<Frame>> FrameDecoder::next() {
  if (failed_) return fail("guest stream: broken before");
  const auto rest = BytesView(buffer_).substr(at_);
  if (rest.size() < 4) return std::optional<Frame>();
  const std::size_t length = get_be32(rest);
  if (length < kFrameHeaderBytes - 4) return fail("guest stream: frame too short");
  if (length > limits::kGuestFrameBytesMax - 4) return fail("guest stream: frame too long");
  if (rest.size() < 4 + length) return std::optional<Frame>();
  if (get_be64(rest.substr(5)) != sequence_ + 1) return fail("guest stream: frame out of order");
  ++sequence_;
  at_ += 4 + length;
  Frame frame;
  frame.type = static_cast<std::uint8_t>(rest[4]);
  frame.payload = rest.substr(kFrameHeaderBytes, length - (kFrameHeaderBytes - 4));
  return std::optional<Frame>(std::move(frame));
}

}  // namespace sandtrail::guest
