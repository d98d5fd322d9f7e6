// SPDX-License-Identifier: Apache-2.0
// A few threads for calls that block (disk, object store), so that I/O and partition threads don't.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace sandtrail {

// How others are given a place to run things: a WorkerPool's post(), or a direct call in tests.
using Executor = std::function<void(std::function<void()>)>;

// Thread-safe. Tasks start in order; those still waiting at destruction are run before it returns.
class WorkerPool {
 public:
  explicit WorkerPool(int threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void post(std::function<void()> task);
  Executor executor() {
    return [this](std::function<void()> task) { post(std::move(task)); };
  }

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace sandtrail
