// SPDX-License-Identifier: Apache-2.0
// The twin of the KeyStore adapters: keeps everything in memory, and delays, fails and forgets on
// demand.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>

#include "store/key_store.h"

namespace sandtrail {

// Thread-safe. It has no thread of its own: callbacks run within put() and destroy(), or within
// release(), always outside its lock.
class MemoryKeyStore final : public KeyStore {
 public:
  void put(WrappedKey key, Done done) override;
  Result<WrappedKey> get(const DataKeyId& id) const override;
  void destroy(const DataKeyId& id, Done done) override;
  Status list(const std::function<bool(const WrappedKey&)>& visit) const override;

  void watch(std::function<void(const DataKeyId&)> destroyed) override;

  // As if another process had destroyed the key.
  void destroy_elsewhere(const DataKeyId& id);
  // From now on puts and destroys wait, unapplied and unanswered.
  void hold();
  // Applies and answers what waits, in order, and stops holding.
  void release();
  // Forgets what waits without an answer, as a process does that dies; starts anew otherwise: not
  // holding, no injected error.
  void crash();
  // Every call fails with `error` until it is nullopt again. What waits fails at release().
  void fail(std::optional<Error> error);

 private:
  struct Request {
    WrappedKey key;  // of a destroy only the id
    bool destroy = false;
    Done done;
  };

  void submit(Request request);
  Status apply(const Request& request);  // under mutex_

  mutable std::mutex mutex_;
  std::map<DataKeyId, WrappedKey> keys_;
  std::function<void(const DataKeyId&)> destroyed_;
  std::deque<Request> held_;
  bool holding_ = false;
  std::optional<Error> error_;
};

}  // namespace sandtrail
