// SPDX-License-Identifier: Apache-2.0
// Appends that wait for their judgement.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "event_log/event_log.h"
#include "mailbox.h"
#include "runtime/types.h"
#include "wire/schema_versions.h"

namespace sandtrail {

// propose() from any thread; the rest on the partition's thread, where callbacks run.
class Proposals {
 public:
  Proposals(TopicPartition where, EventLog& log, std::shared_ptr<Mailbox> mailbox, Clock& clock,
            const SchemaVersions& versions);

  // `event` is complete. Refused with overloaded past limits::kPendingProposalsMax.
  void propose(const Event& event, ProposalDone done);
  // Our own among the records of a batch.
  void complete(const std::vector<Folded>& batch);
  // Ends those whose id is dead by now: too old to be applied, wherever the record is. Only to be
  // called when everything readable is folded, or a record that is in time may yet be found. By the
  // time that has passed: the wall clock may have been set since.
  void sweep();
  // Ends all with `error`, and from now on every other at once.
  void close(const Error& error);

 private:
  // Shared with callbacks of the log, which may come after this object is gone.
  struct Shared {
    std::mutex mutex;
    // With when it was proposed, by the clock that nobody sets, in microseconds.
    std::unordered_map<EventId, std::pair<ProposalDone, std::int64_t>> pending;
    std::optional<Error> closed;
  };
  static void fail(const std::shared_ptr<Shared>& shared, const EventId& id, const Error& error);

  TopicPartition where_;
  EventLog& log_;
  std::shared_ptr<Mailbox> mailbox_;
  Clock& clock_;
  const SchemaVersions& versions_;
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace sandtrail
