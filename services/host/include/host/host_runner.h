// SPDX-License-Identifier: Apache-2.0
// The threads of a host on a machine of its own, and its end.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "host/host_agent.h"
#include "host/host_reaper.h"

namespace sandtrail {

class HostRunner {
 public:
  // Starts; everything given must outlive it.
  HostRunner(HostAgent& agent, HostEngine& engine, HostReaper& reaper);
  ~HostRunner();  // after stop()

  // Takes no work any more, lets what runs end for limits::kHostDrain and ends the rest, has
  // results applied for limits::kHostDeliver, and says good-bye. Returns how many results nobody
  // took. Idempotent.
  std::size_t stop();

 private:
  void run_agent();
  void run_reaper();
  // False if it did not come true in that time.
  bool wait_for(Millis most, const std::function<bool()>& what);

  HostAgent& agent_;
  HostEngine& engine_;
  HostReaper& reaper_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool stopped_ = false;
  std::thread agent_thread_;
  std::thread reaper_thread_;
};

}  // namespace sandtrail
