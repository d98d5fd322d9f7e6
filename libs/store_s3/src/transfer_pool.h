// SPDX-License-Identifier: Apache-2.0
// Transfers shared by threads, so that connections are kept. Private to this library.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "transfer.h"

namespace sandtrail::s3 {

// At most limits::kS3ConnectionsMax of them, made when they are needed. Thread-safe; must outlive
// its leases.
class TransferPool {
 public:
  using Make = std::function<Result<std::unique_ptr<Transfer>>()>;

  // A transfer for one thread; goes back when it is destroyed.
  class Lease {
   public:
    Lease(TransferPool& pool, std::unique_ptr<Transfer> transfer)
        : pool_(&pool), transfer_(std::move(transfer)) {}
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (transfer_ != nullptr) pool_->give_back(std::move(transfer_));
    }
    Transfer* operator->() { return transfer_.get(); }

   private:
    TransferPool* pool_;
    std::unique_ptr<Transfer> transfer_;
  };

  explicit TransferPool(Make make) : make_(std::move(make)) {}

  // overloaded if none became free in time; errors of `make`.
  Result<Lease> take(Millis at_most);

 private:
  void give_back(std::unique_ptr<Transfer> transfer);

  const Make make_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Transfer>> free_;  // the last used is the first taken
  std::size_t leased_ = 0;
};

}  // namespace sandtrail::s3
