// SPDX-License-Identifier: Apache-2.0
// The Random port and its twin. Keys, ids, nonces and jitter all come from here.
#pragma once

#include <cstdint>
#include <mutex>

#include "base/bytes.h"

namespace sandtrail {

// Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(char* out, std::size_t count) = 0;

  Bytes bytes(std::size_t count);
  // Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
};

// getrandom(2): fit for keys. Aborts if the kernel has no randomness to give.
class SystemRandom final : public Random {
 public:
  void fill(char* out, std::size_t count) override;
};

// The twin: splitmix64 from a seed. Never for keys outside tests and simulation.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(char* out, std::size_t count) override;

 private:
  std::mutex mutex_;
  std::uint64_t state_;
};

}  // namespace sandtrail
