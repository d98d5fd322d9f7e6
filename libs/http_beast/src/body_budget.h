// SPDX-License-Identifier: Apache-2.0
// How many bytes of request bodies a server holds at once. Standard library only.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace sandtrail::http {

// Shared by the loops of a server. Thread-safe.
class BodyBudget {
 public:
  explicit BodyBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // False: that would be more than the budget; nothing was taken.
  bool take(std::size_t bytes) {
    std::size_t taken = taken_;
    do {
      if (bytes > bytes_max_ - taken) return false;
    } while (!taken_.compare_exchange_weak(taken, taken + bytes));
    return true;
  }
  void give_back(std::size_t bytes) { taken_ -= bytes; }

 private:
  const std::size_t bytes_max_;
  std::atomic<std::size_t> taken_{0};  // never above bytes_max_
};

// A part of a budget, given back at the end. One made without a budget is never refused. Not
// thread-safe.
class BodyReservation {
 public:
  explicit BodyReservation(std::shared_ptr<BodyBudget> budget = nullptr)
      : budget_(std::move(budget)) {}
  BodyReservation(BodyReservation&& other) noexcept
      : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}
  BodyReservation& operator=(BodyReservation&&) = delete;
  ~BodyReservation() { resize(0); }

  // False: the budget is used up, and the reservation is as it was. Never when it shrinks.
  bool resize(std::size_t bytes) {
    if (budget_ && bytes > bytes_ && !budget_->take(bytes - bytes_)) return false;
    if (budget_ && bytes < bytes_) budget_->give_back(bytes_ - bytes);
    bytes_ = bytes;
    return true;
  }
  // Hands over `bytes` of it, at most what it has.
  BodyReservation split(std::size_t bytes) {
    BodyReservation out(budget_);
    out.bytes_ = bytes;
    bytes_ -= bytes;
    return out;
  }

 private:
  std::shared_ptr<BodyBudget> budget_;
  std::size_t bytes_ = 0;
};

}  // namespace sandtrail::http
