// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <sys/random.h>

#include <cerrno>

#include "base/assert.h"

namespace sandtrail {

Bytes Random::bytes(std::size_t count) {
  Bytes out(count, '\0');
  fill(out.data(), count);
  return out;
}

std::uint64_t Random::below(std::uint64_t bound) {
  ST_ASSERT(bound > 0);
  // Rejection keeps it uniform: values under 2^64 mod bound would make small results likelier.
  const std::uint64_t threshold = (0 - bound) % bound;
  for (;;) {
    std::uint64_t value = 0;
    fill(reinterpret_cast<char*>(&value), sizeof value);
    if (value >= threshold) return value % bound;
  }
}

void SystemRandom::fill(char* out, std::size_t count) {
  while (count > 0) {
    const ssize_t got = ::getrandom(out, count, 0);
    if (got < 0 && errno == EINTR) continue;
    ST_ASSERT(got > 0);
    out += got;
    count -= static_cast<std::size_t>(got);
  }
}

void SeededRandom::fill(char* out, std::size_t count) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < count; ++i) {
    static_assert(sizeof(state_) == 8);
    if (i % 8 == 0) state_ += 0x9e3779b97f4a7c15ull;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    z ^= z >> 31;
    out[i] = static_cast<char>((z >> (8 * (i % 8))) & 0xff);
  }
}

}  // namespace sandtrail
