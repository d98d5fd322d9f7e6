// SPDX-License-Identifier: Apache-2.0
// The state behind all connections of one MemoryLog, and its pending work.
//
// One mutex guards everything; callbacks run outside it, one at a time, while `stepping` is set.
// Functions named *_locked expect the mutex held. Callbacks that are dropped are handed out to be
// destroyed outside the mutex, since what they own may call the log.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/random.h"
#include "event_log/memory_log.h"
#include "event_log/record_codec.h"

namespace sandtrail::memory {

struct Client {
  bool open = true;       // neither closed nor dead
  bool accepting = true;  // appends; ends before `open` does
  bool away = false;      // cut from the log
  HealthWatch health;
  std::size_t queued_records = 0;
  std::size_t queued_bytes = 0;
};

// What will become of an append, drawn when it is accepted.
struct Fate {
  AppendOutcome::Kind kind = AppendOutcome::Kind::committed;
  int copies = 1;
  int gap = 0;
  Error error;
};

struct Pending {
  std::shared_ptr<Client> client;
  EncodedRecord record;
  std::size_t bytes = 0;
  AppendDone done;  // empty once answered
  Fate fate;
};

struct Answer {
  std::shared_ptr<Client> client;
  std::size_t bytes = 0;
  AppendDone done;
  AppendOutcome outcome;
};

struct Entry {
  Bytes bytes;
  UnixMs stamp;
  std::uint64_t running = 0;  // hash after it
};

struct Partition {
  TopicPartition where;
  std::map<std::int64_t, Entry> records;
  Entry floor;  // stamp and hash of the last record trimmed away
  std::set<std::int64_t> damaged;
  std::int64_t low = 0;
  std::int64_t synced = 0;  // the readable tail
  std::int64_t next = 0;    // the written one
  std::deque<Pending> queue;
  std::deque<EncodedRecord> late;  // second copies still to be stored
  std::vector<Answer> unsynced;    // to be given after the next sync
};

struct Subscription {
  std::shared_ptr<Client> client;
  TopicPartition where;
  std::function<void()> wake;
  bool live = true;
  bool pending = false;
};

struct OwnershipEvent {
  enum class Kind { assigned, revoked, lost };
  Kind kind = Kind::assigned;
  TopicPartition where;
};

struct Member {
  std::shared_ptr<Client> client;
  std::string group;
  OwnershipListener* listener = nullptr;
  std::set<std::string> topics;
  std::deque<OwnershipEvent> events;
  bool live = true;
};

struct Group {
  std::vector<std::shared_ptr<Member>> members;
  std::map<TopicPartition, std::shared_ptr<Member>> owners;
};

struct Core {
  Core(const MemoryLogOptions& options, const Clock& clock);

  const MemoryLogOptions options;
  const Clock& clock;

  mutable std::mutex mutex;
  std::condition_variable stepped;
  bool stepping = false;
  std::thread::id stepper;

  SeededRandom random;
  MemoryLogFaults faults;
  std::string identity;
  bool stalled = false;
  bool degraded = false;
  std::string fatal;  // empty: none
  std::vector<std::weak_ptr<Client>> clients;
  std::map<std::string, std::vector<Partition>> topics;
  std::deque<Answer> answers;
  std::vector<std::shared_ptr<Subscription>> subscriptions;
  std::map<std::string, Group> groups;
  std::map<TopicPartition, std::map<std::string, std::int64_t>> reports;

  using Dropped = std::vector<AppendDone>;

  // --- memory_core.cc ---
  std::shared_ptr<Client> connect_locked();
  LogHealth health_locked(const Client& client) const;
  Partition* find_locked(const TopicPartition& where);
  bool chance_locked(unsigned in_a_thousand);
  Fate draw_fate_locked();
  bool step();
  void settle();  // in immediate mode: all the work there is, unless somebody is at it
  // Waits until no callback runs, unless called from one.
  void wait_for_callback_locked(std::unique_lock<std::mutex>& lock);
  void wake_locked(const TopicPartition& where);
  Status check_open_locked(const Client& client) const;
  // That, and that the log can be reached.
  Status check_reach_locked(const Client& client) const;

  // --- memory_faults.cc ---
  // Takes the unanswered appends of `client` (of everybody if null) out of the queues; of each
  // partition a prefix, drawn by seed, stays to be stored without an answer.
  std::vector<Answer> take_unanswered_locked(const Client* client);
  void forget_client_locked(const std::shared_ptr<Client>& client);
  void trim_locked(Partition& partition, std::int64_t before);
  void lose_unsynced_locked(Partition& partition);
  void crash_locked(Dropped& dropped);

  // --- memory_groups.cc ---
  void join_locked(const std::shared_ptr<Member>& member);
  void leave_locked(const std::shared_ptr<Member>& member);
  void hand_over_locked(Group& group, const TopicPartition& where);
  void give_locked(Group& group, const TopicPartition& where, const Member* except);
  std::function<void()> take_ownership_event_locked(const std::shared_ptr<Member>& member);
  void finish_event_locked(const std::shared_ptr<Member>& member, const OwnershipEvent& event);

 private:
  struct Work {
    enum class Kind { ownership, answer, wake, sync, write, late };
    Kind kind;
    Partition* partition = nullptr;
    std::shared_ptr<Subscription> subscription;
    std::shared_ptr<Member> member;
  };
  std::vector<Work> pending_work_locked();
  std::function<void()> perform_locked(const Work& work);
  bool step_locked(std::unique_lock<std::mutex>& lock);
  void store_locked(Partition& partition, EncodedRecord& record);
  void write_locked(Partition& partition);
  void sync_locked(Partition& partition);
  std::function<void()> take_answer_locked();
};

}  // namespace sandtrail::memory
