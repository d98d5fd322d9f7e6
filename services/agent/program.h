// SPDX-License-Identifier: Apache-2.0
// Runs the stages of one program and tells the host what became of them.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "channel.h"
#include "output.h"

namespace sandtrail::agent {

struct Program {
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<guest::Stage> stages;
  UniqueFd input;
  guest::Run run;
};

class Runner {
 public:
  Runner(Channel& channel, const Program& program, const Clock& clock);
  // Returns when the last stage is over or one failed, with every process of the program gone.
  Status run();

 private:
  struct StageEnd {
    bool signaled = false;
    std::uint8_t value = 0;
  };
  Result<StageEnd> run_stage(const guest::Stage& stage);
  Result<pid_t> start(const guest::Stage& stage);
  int watched(const Output& output, std::int64_t now_us, std::int64_t& wake_us) const;
  void reap(pid_t main);
  void kill_all();

  Channel& channel_;
  const Program& program_;
  const Clock& clock_;
  UniqueFd signals_;
  Output out_;
  Output err_;
  bool main_gone_ = false;
  StageEnd end_;
};

}  // namespace sandtrail::agent
