// SPDX-License-Identifier: Apache-2.0
// An OutputSource whose hosts say what a test has them say.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "live_output/output_source.h"

namespace sandtrail {

// Thread-safe.
class ScriptedOutput final : public OutputSource {
 public:
  std::unique_ptr<OutputSubscription> follow(const OutputTarget& target, const OutputOffsets& from,
                                             OutputSink sink) override;

  // One call of follow(), in their order.
  struct Followed {
    OutputTarget target;
    OutputOffsets from;
    OutputSink sink;
    bool dropped = false;

    void give(OutputStream stream, BytesView bytes);  // at the end of what was given before

   private:
    friend class ScriptedOutput;
    OutputOffsets next_;
  };
  std::shared_ptr<Followed> followed(std::size_t index);  // waits for it
  std::size_t count() const;
  void until_dropped(std::size_t index);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Followed>> followed_;
};

}  // namespace sandtrail
