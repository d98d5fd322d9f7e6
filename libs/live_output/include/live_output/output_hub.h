// SPDX-License-Identifier: Apache-2.0
// What the attempts that run on this host have written so far, in memory, and who follows them.
// Bounded by the executions' own caps, and in all; forgotten when the attempt ends.
#pragma once

#include <cstddef>
#include <memory>

#include "base/limits.h"
#include "live_output/output_source.h"

namespace sandtrail {

struct OutputHubOptions {
  std::size_t bytes_max =
      limits::kLiveOutputBytesMax;  // of all attempts; past it: OutputCut::memory
  std::size_t followers_max = limits::kLiveFollowersMax;
};

// Thread-safe. Followers are called on the thread that has news for them, outside of any lock; one
// that is slow gets the next news in one piece.
class OutputHub final : public OutputSource {
 public:
  explicit OutputHub(OutputHubOptions options = {});
  ~OutputHub() override;
  OutputHub(const OutputHub&) = delete;
  OutputHub& operator=(const OutputHub&) = delete;

  // --- the host: begin, then write as SandboxEvents::on_output says, then end ---
  // A second begin() of the same attempt changes nothing; calls for one that did not begin, or has
  // ended, do nothing.
  void begin(const ExecutionId& execution, std::int64_t attempt);
  void write(const ExecutionId& execution, std::int64_t attempt, OutputStream stream,
             std::int64_t offset, BytesView bytes);
  void end(const ExecutionId& execution, std::int64_t attempt);

  // The target's address plays no part.
  std::unique_ptr<OutputSubscription> follow(const OutputTarget& target, const OutputOffsets& from,
                                             OutputSink sink) override;

  std::size_t bytes() const;  // kept now
  std::size_t followers() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace sandtrail
