// SPDX-License-Identifier: Apache-2.0
// Keeps a log in touch with its brokers: asks for them, and renews a producer that broke.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "admin.h"
#include "base/clock.h"
#include "producer.h"
#include "reader.h"

namespace sandtrail::kafka {

// Thread-safe; has one thread. What it is given must outlive it.
class Keeper {
 public:
  // `each_time` runs on its thread after every answer of a broker; an error of it is why the log is
  // away all the same.
  Keeper(Admin& admin, Producer& producer, LogState& state, const Clock& clock,
         std::function<Status()> each_time);
  ~Keeper();

  void start();
  // Looks at once.
  void nudge();
  void stop();
  LogHealth health() const;

 private:
  void run();
  void look();

  Admin& admin_;
  Producer& producer_;
  LogState& state_;
  const Clock& clock_;
  const std::function<Status()> each_time_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool nudged_ = false;
  bool stopped_ = false;
  LogHealth health_;
  UnixMs last_contact_;
  std::thread thread_;
};

}  // namespace sandtrail::kafka
