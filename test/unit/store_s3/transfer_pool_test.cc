// SPDX-License-Identifier: Apache-2.0
#include "transfer_pool.h"

#include <doctest/doctest.h>

#include <atomic>
#include <optional>
#include <thread>

#include "base/limits.h"

using namespace sandtrail;
using namespace sandtrail::s3;

namespace {

// Knows whether two use it at a time.
class CountingTransfer final : public Transfer {
 public:
  explicit CountingTransfer(std::atomic<int>& collisions) : collisions_(collisions) {}
  Result<Answer> run(const Exchange&) override {
    if (busy_.exchange(true)) ++collisions_;
    std::this_thread::yield();
    busy_ = false;
    return Answer{};
  }

 private:
  std::atomic<int>& collisions_;
  std::atomic<bool> busy_{false};
};

struct CountingPool {
  std::atomic<int> made = 0;
  std::atomic<int> collisions = 0;
  TransferPool pool{[this]() -> Result<std::unique_ptr<Transfer>> {
    ++made;
    return std::unique_ptr<Transfer>(std::make_unique<CountingTransfer>(collisions));
  }};
};

}  // namespace

TEST_CASE("as many transfers as allowed are lent, the next caller waits, and is told so") {
  CountingPool counting;
  std::vector<TransferPool::Lease> leases;
  for (std::size_t i = 0; i < limits::kS3ConnectionsMax; ++i) {
    auto lease = counting.pool.take(Millis{0});
    REQUIRE(lease.ok());
    leases.push_back(std::move(*lease));
  }
  const auto refused = counting.pool.take(Millis{1});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::overloaded);

  std::atomic<bool> got = false;
  std::thread waiting([&] { got = counting.pool.take(minutes(1)).ok(); });
  leases.pop_back();
  waiting.join();
  CHECK(got);
  CHECK(counting.made == static_cast<int>(limits::kS3ConnectionsMax));
}

TEST_CASE("one caller after the other uses one transfer") {
  CountingPool counting;
  for (int i = 0; i < 10; ++i) CHECK(counting.pool.take(Millis{0}).ok());
  CHECK(counting.made == 1);
}

TEST_CASE("no transfer serves two callers at a time") {
  CountingPool counting;
  std::atomic<int> failed = 0;
  std::vector<std::thread> callers;
  for (int c = 0; c < 2 * static_cast<int>(limits::kS3ConnectionsMax); ++c) {
    callers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        auto lease = counting.pool.take(minutes(1));
        if (!lease.ok() || !(*lease)->run({}).ok()) ++failed;
      }
    });
  }
  for (auto& caller : callers) caller.join();
  CHECK(failed == 0);
  CHECK(counting.collisions == 0);
  CHECK(counting.made <= static_cast<int>(limits::kS3ConnectionsMax));
}

TEST_CASE("a transfer that cannot be made takes no place") {
  bool broken = true;
  std::atomic<int> collisions = 0;
  TransferPool pool([&]() -> Result<std::unique_ptr<Transfer>> {
    if (broken) return Error{ErrorCode::internal, "no", ""};
    return std::unique_ptr<Transfer>(std::make_unique<CountingTransfer>(collisions));
  });
  for (std::size_t i = 0; i < 2 * limits::kS3ConnectionsMax; ++i) {
    CHECK(pool.take(Millis{0}).error().code == ErrorCode::internal);
  }
  broken = false;
  CHECK(pool.take(Millis{0}).ok());
}
