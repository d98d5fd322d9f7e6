// SPDX-License-Identifier: Apache-2.0
// A log with a history: organisations that were made, keys that were refused, entries and
// checkpoints that the auditor wrote about it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "crypto/note.h"
#include "event_log/memory_log.h"
#include "runtime/runtime.h"

namespace sandtrail::test {

class Story {
 public:
  Story();
  ~Story();

  // Appends an audited event of a new organisation and lets the auditor do its work, or not.
  void organization(const std::string& name);
  // An event that the fold refuses.
  void refused();
  void audit();  // until nothing is left to do, checkpoint included

  std::unique_ptr<EventLog> connect() { return log_->connect(); }
  const NoteVerifier& verifier() const { return signer_.verifier(); }
  const NoteSigner& signer() const { return signer_; }

  // Another log with the same records, stamps included, after `change`, which returns what stands
  // in the place of a record (nothing: it is left out). Records before others of its partition.
  using Change = std::function<std::optional<Record>(const TopicPartition&, const StoredRecord&)>;
  std::unique_ptr<MemoryLog> altered(const Change& change);

  Runtime& runtime() { return *runtime_; }
  static constexpr std::int32_t kPartitions = 2;

 private:
  void step();

  ManualClock clock_;
  SeededRandom random_{3};
  std::unique_ptr<MemoryLog> log_;
  NoteSigner signer_;
  struct Parts;
  std::unique_ptr<Parts> parts_;
  std::unique_ptr<Runtime> runtime_;
  int organizations_ = 0;
};

}  // namespace sandtrail::test
