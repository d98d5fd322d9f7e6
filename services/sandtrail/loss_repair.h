// SPDX-License-Identifier: Apache-2.0
// The steps of loss.h, once it is known what is missing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "domain/events_system.h"

namespace sandtrail {

// The content of loss.json.
struct LossNote {
  std::string event;  // id of the log.loss_accepted
  std::string old_identity;
  std::string new_identity;  // empty: not chosen yet
  std::string reason;
  std::vector<LostRange> partitions;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("event", s.event);
    v("old_identity", s.old_identity);
    v("new_identity", s.new_identity);
    v("reason", s.reason);
    v("partitions", s.partitions);
  }
};

class LossRepair {
 public:
  LossRepair(std::string data_directory, std::string note_path, LossNote note, const Clock& clock,
             Random& random);
  Result<LossAccepted> run();

 private:
  Status save_note();
  Status open_log();
  // Topics that are gone altogether, with as many partitions as are known.
  Status make_topics();
  Status fill(const LostRange& lost);
  Status say_so();
  Result<bool> said_already();
  Record lost_record();
  Result<std::string> move_store_aside();

  const std::string data_directory_;
  const std::string note_path_;
  LossNote note_;
  const Clock& clock_;
  Random& random_;
  std::unique_ptr<EventLog> log_;
};

}  // namespace sandtrail
