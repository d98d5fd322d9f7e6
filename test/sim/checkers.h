// SPDX-License-Identifier: Apache-2.0
// What must hold, told apart from what makes it happen. The checkers read the log themselves, by
// their own connection; of the product they use the core fold as the judge of records (tested by
// itself), and check everything else against arithmetic of their own.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "domain/core.h"
#include "domain/ledger.h"
#include "event_log/memory_log.h"
#include "receivers.h"
#include "sim_host.h"

namespace sandtrail::sim {

// Collects what is wrong; the first counts, the rest follows from it.
class Problems {
 public:
  void add(std::string text) {
    if (found_.size() < 20) found_.push_back(std::move(text));
  }
  // Adds `text` unless `holds`.
  void expect(bool holds, const std::string& text) {
    if (!holds) add(text);
  }
  bool none() const { return found_.empty(); }
  const std::vector<std::string>& all() const { return found_; }
  std::string text() const;

 private:
  std::vector<std::string> found_;
};

// The life of one execution, as the applied records tell it.
struct History {
  OrgId org;
  DataKeyId key;
  ExecutionLimits limits;
  std::optional<Millis> retention;
  SealedPayload input;
  std::optional<SealedPayload> output;
  std::int64_t attempts_max = 1;
  std::int64_t launches = 0;
  std::int64_t attempt = 0;
  std::map<std::int64_t, Launch> assigned;  // by attempt
  std::int64_t hold = 0;
  std::int64_t price = 0;
  int terminals = 0;
  std::string end;  // type of the terminal event
  std::int64_t wall_us = 0;
  std::optional<std::int64_t> settled;
  int erased = 0;
  int key_destroyed = 0;
  bool callback = false;
  std::set<std::string> to_tell;  // receivers that nothing is scheduled for yet
};

// One delivery to one receiver, as records and the receiver tell it.
struct DeliveryHistory {
  ExecutionId execution;
  std::int64_t attempts = 0;
  int ends = 0;
  bool accepted = false;  // the receiver has answered well
  Bytes body;             // of its first message
};

// One judged record, for people.
struct SeenRecord {
  TopicPartition where;
  std::int64_t position = 0;
  UnixMs stamp;
  std::string type;
  std::string subject;
  std::string correlation;
  VoidReason reason = VoidReason::none;
  std::string value;  // its beginning
  std::string text() const;
};

class Checkers {
 public:
  Checkers(MemoryLog& log, std::int32_t events_partitions, Problems& problems);

  // Who judges the records instead of the core: for tests of the checkers, since the core lets
  // nothing through that they could find.
  using Judge = std::function<Judgement(Core&, const FoldInput&)>;
  void judge_by(Judge judge) { judge_ = std::move(judge); }
  // From now on every record is kept in seen().
  void keep_records() { keeping_ = true; }
  const std::vector<SeenRecord>& seen() const { return seen_; }
  std::int64_t records() const { return records_; }

  // Reads what is new and checks what must hold at any point.
  void catch_up();
  void on_entry(const LedgerEntry& entry);
  // A receiver gets a message: its delivery is scheduled by now, and every repeat is the same.
  void on_message(const Message& message);
  // A host begins a launch: its assignment must be applied by now, and it must be the only one.
  void on_launch(const Launch& launch);
  // A process says that its fold of the partition has this digest at this position.
  void on_digest(const TopicPartition& where, Position next, const std::string& digest);
  // After everything had its time: every execution ended once, settled, erased where due.
  void check_all_over();
  // Every audited record has one entry, in order; the newest checkpoint signs the tree over them.
  void check_audit(const class AuditKey& key);
  // The log is gone back to what the machine had synced.
  void reconnect(MemoryLog& log);

  bool all_over() const;
  const std::map<ExecutionId, History>& executions() const { return executions_; }
  const CoreState& state(const TopicPartition& where) const {
    return parts_.at(where).core.state();
  }
  std::size_t launches() const { return launched_.size(); }
  const std::map<DeliveryId, DeliveryHistory>& deliveries() const { return deliveries_; }
  const std::map<VoidReason, std::size_t>& voids() const { return voids_; }
  std::size_t voids(VoidReason reason) const {
    const auto found = voids_.find(reason);
    return found == voids_.end() ? 0 : found->second;
  }
  // Data keys that applied records use.
  std::set<DataKeyId> bound_keys() const;

 private:
  struct Part {
    explicit Part(TopicKind kind) : core(kind) {}
    Core core;
    Position next{};
    std::unique_ptr<LogReader> reader;
    std::vector<std::int64_t> audited;  // positions that need an entry
  };
  struct Account {
    std::int64_t granted = 0;
    std::int64_t held = 0;
    std::int64_t charged = 0;
    DataKeyId key;
    std::set<std::string> endpoints;  // enabled
  };

  void open(MemoryLog& log);
  void fold(Part& part, const TopicPartition& where, const StoredRecord& stored);
  void apply(const Event& event, const StoredRecord& stored);
  void apply_money(const Event& event);
  void apply_execution(const Event& event);
  void apply_webhook(const Event& event);
  void attempted(const DeliveryId& id, const AttemptFacts& attempt);
  void delivery_ends(const DeliveryId& id);
  void note(const TopicPartition& where, const StoredRecord& stored, const Judgement& judgement);
  void end(const ExecutionId& id, const Event& event);
  History& history(const ExecutionId& id, std::string_view what);

  Problems& problems_;
  Judge judge_ = [](Core& core, const FoldInput& input) { return core.fold(input); };
  bool keeping_ = false;
  std::int64_t records_ = 0;
  std::vector<SeenRecord> seen_;
  std::map<TopicPartition, Part> parts_;
  std::map<ExecutionId, History> executions_;
  std::map<DeliveryId, DeliveryHistory> deliveries_;
  std::map<OrgId, Account> accounts_;
  std::map<std::int64_t, std::int64_t> prices_;  // by card version
  std::map<Bytes, int> idempotency_;             // applied requests of a key
  std::set<std::pair<ExecutionId, std::int64_t>> launched_;
  std::map<std::pair<TopicPartition, std::int64_t>, std::string> digests_;
  std::map<VoidReason, std::size_t> voids_;
  std::vector<AuditRecorded> entries_;
  std::vector<Bytes> leaves_;
  std::string checkpoint_;
};

// What verifies checkpoints.
class AuditKey {
 public:
  virtual ~AuditKey() = default;
  // Size and root that the note signs; an Error if the signature is not right.
  virtual Result<std::pair<std::uint64_t, Bytes>> open(const std::string& note) const = 0;
};

}  // namespace sandtrail::sim
