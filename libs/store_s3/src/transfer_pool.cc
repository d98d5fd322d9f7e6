// SPDX-License-Identifier: Apache-2.0
#include "transfer_pool.h"

#include <chrono>
#include <utility>

#include "base/limits.h"

namespace sandtrail::s3 {

Result<TransferPool::Lease> TransferPool::take(Millis at_most) {
  std::unique_lock lock(mutex_);
  const bool came = freed_.wait_for(lock, std::chrono::milliseconds(at_most.count),
                                    [&] { return leased_ < limits::kS3ConnectionsMax; });
  if (!came) {
    return Error{ErrorCode::overloaded, "too many requests to the S3 service at a time", ""};
  }
  if (free_.empty()) {
    ST_ASSIGN(auto made, make_());
    free_.push_back(std::move(made));
  }
  ++leased_;
  Lease lease(*this, std::move(free_.back()));
  free_.pop_back();
  return lease;
}

void TransferPool::give_back(std::unique_ptr<Transfer> transfer) {
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(transfer));
  --leased_;
  freed_.notify_one();
}

}  // namespace sandtrail::s3
