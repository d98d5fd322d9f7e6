// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "base/limits.h"
#include "base/random.h"
#include "guest/frame.h"
#include "guest/messages.h"

using namespace sandtrail;
using namespace sandtrail::guest;

namespace {

Bytes three_frames() {
  FrameEncoder encoder;
  Bytes stream;
  encoder.put(stream, {1, "first"});
  encoder.put(stream, {200, ""});
  encoder.put(stream, {3, Bytes(1000, 'x')});
  return stream;
}

// Type and size of each frame; "!" at an error.
std::string decode(BytesView stream, std::size_t piece_bytes) {
  FrameDecoder decoder;
  std::string seen;
  while (!stream.empty()) {
    decoder.push(stream.substr(0, piece_bytes));
    stream.remove_prefix(std::min(piece_bytes, stream.size()));
    for (;;) {
      const auto frame = decoder.next();
      if (!frame.ok()) return seen + "!";
      if (!frame.value()) break;
      const auto& whole = *frame.value();
      seen += std::to_string(whole.type) + ":" + std::to_string(whole.payload.size()) + " ";
    }
  }
  return seen + (decoder.partial() ? "…" : "");
}

Bytes header(std::uint32_t length, std::uint8_t type, std::uint64_t sequence) {
  Bytes out;
  put_be32(out, length);
  out += static_cast<char>(type);
  put_be64(out, sequence);
  return out;
}

}  // namespace

TEST_CASE("frames come out whole, however the stream is cut") {
  const auto stream = three_frames();
  for (const std::size_t piece : {1, 2, 3, 7, 13, 64, 5000}) {
    CAPTURE(piece);
    CHECK(decode(stream, piece) == "1:5 200:0 3:1000 ");
  }
  CHECK(decode(BytesView(stream).substr(0, stream.size() - 1), 100) == "1:5 200:0 …");
}

TEST_CASE("a frame of the largest size passes, a larger one breaks the stream at its header") {
  FrameEncoder encoder;
  Bytes largest;
  encoder.put(largest, {9, Bytes(limits::kGuestFrameBytesMax - kFrameHeaderBytes, 'x')});
  CHECK(decode(largest, 4096) == "9:65523 ");
  const auto over = static_cast<std::uint32_t>(limits::kGuestFrameBytesMax - 4 + 1);
  CHECK(decode(header(over, 9, 1), 4096) == "!");
  CHECK(decode(header(0xffffffff, 9, 1), 4096) == "!");
}

TEST_CASE("short, repeated, skipped and reordered frames break the stream for good") {
  CHECK(decode(header(8, 1, 1), 100) == "!");
  CHECK(decode(header(0, 1, 1), 100) == "!");
  CHECK(decode(header(9, 1, 0), 100) == "!");
  CHECK(decode(header(9, 1, 2), 100) == "!");
  CHECK(decode(header(9, 1, 1) + header(9, 1, 1), 100) == "1:0 !");
  CHECK(decode(header(9, 1, 1) + header(9, 1, 3), 100) == "1:0 !");
  FrameDecoder decoder;
  decoder.push(header(8, 1, 1));
  CHECK_FALSE(decoder.next().ok());
  decoder.push(three_frames());
  CHECK_FALSE(decoder.next().ok());
}

TEST_CASE("random bytes never give a frame out of order or without end") {
  SeededRandom random(7);
  for (int round = 0; round < 3000; ++round) {
    FrameDecoder decoder;
    Bytes noise = random.bytes(random.below(200));
    // Half the time a plausible length, so that the decoder gets past its first check.
    if (noise.size() >= 4 && round % 2 == 0) {
      Bytes length;
      put_be32(length, static_cast<std::uint32_t>(random.below(64)));
      noise.replace(0, 4, length);
    }
    decoder.push(noise);
    for (int frames = 0; frames <= 20; ++frames) {
      const auto frame = decoder.next();
      if (!frame.ok() || !frame.value()) break;
      CHECK(frame.value()->payload.size() < noise.size());
      REQUIRE(frames < 20);
    }
  }
}
