// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "admin.h"
#include "event_log/checks.h"
#include "fetcher.h"
#include "kafka/kafka_key_store.h"
#include "keeper.h"
#include "key_index.h"
#include "obs/log.h"
#include "producer.h"

namespace sandtrail {
namespace kafka {
namespace {

constexpr Millis kStep{100};
constexpr int kTickRounds = 3;  // compaction lags after a destroy until its bytes are surely gone

TopicConfig keys_topic_config(const KafkaKeyStoreOptions& options) {
  TopicConfig config{
      {"cleanup.policy", "compact"},
      {"max.compaction.lag.ms", std::to_string(options.compaction_lag.count)},
      {"min.compaction.lag.ms", "0"},
      {"retention.ms", "-1"},
      {"min.insync.replicas", std::to_string(options.connection.min_insync)},
      {"unclean.leader.election.enable", "false"},
  };
  return config;
}

// What an administrator can put right is waited for: whoever asks for keys must not conclude that a
// payload cannot be read any more.
Error for_now(Error error) {
  if (error.code == ErrorCode::denied) error.code = ErrorCode::unavailable;
  return error;
}

class KafkaKeyStore final : public KeyStore {
 public:
  KafkaKeyStore(const KafkaKeyStoreOptions& options, const Clock& clock)
      : options_(options),
        topic_(options.connection.topic_prefix + "keys"),
        clock_(clock),
        state_(clock),
        producer_(options.connection, limits::kKafkaAppendTimeout, {0}, state_.refusals,
                  [this] { keeper_.nudge(); }),
        fetcher_(options.connection),
        keeper_(admin_, producer_, state_, clock, [this] {
          tick();
          return made_ ? admin_.still_there(topic_) : Status();
        }) {}
  ~KafkaKeyStore() override;

  Status start() {
    ST_CHECK_OK(admin_.start());
    ST_CHECK_OK(producer_.start());
    keeper_.start();
    thread_ = std::thread([this] { run(); });
    return {};
  }

  void put(WrappedKey key, Done done) override;
  Result<WrappedKey> get(const DataKeyId& id) const override;
  void destroy(const DataKeyId& id, Done done) override;
  Status list(const std::function<bool(const WrappedKey&)>& visit) const override;
  void watch(std::function<void(const DataKeyId&)> destroyed) override {
    const std::lock_guard lock(mutex_);
    destroyed_ = std::move(destroyed);
  }

 private:
  // What the newest request in flight makes of a key: nullopt destroys it.
  struct InFlight {
    std::optional<WrappedKey> becomes;
    int requests = 0;
  };

  void submit(const DataKeyId& id, std::optional<WrappedKey> becomes, Done done);
  std::optional<Error> refusal(const DataKeyId& id, const std::optional<WrappedKey>& becomes) const;
  void appended(const DataKeyId& id, const AppendOutcome& outcome, Done done);
  void settle(const DataKeyId& id);
  Status catch_up() const;
  Result<Marks> tail() const;

  void run();
  Status open_topic();
  void follow();
  bool fold(Message message);
  void answer(std::vector<std::pair<DataKeyId, Done>> done, const Status& status);
  void tick();

  const KafkaKeyStoreOptions options_;
  const std::string topic_;
  const std::shared_ptr<Partition> partition_ =
      std::make_shared<Partition>(TopicPartition{"keys", 0}, topic_);
  const Clock& clock_;
  mutable Admin admin_{options_.connection};
  LogState state_;
  std::atomic<bool> made_{false};  // the topic was there
  Producer producer_;
  Fetcher fetcher_;

  mutable std::mutex mutex_;
  mutable std::condition_variable folded_;
  KeyIndex index_;
  // Why the topic cannot be read yet.
  std::optional<Error> not_open_ =
      Error{ErrorCode::unavailable, "the topic of keys is still being looked for", ""};
  std::int64_t read_to_ = -1;    // the next offset to fold; -1: not begun
  mutable bool loaded_ = false;  // the tail was reached once
  std::map<DataKeyId, InFlight> in_flight_;
  std::size_t requests_ = 0;
  std::multimap<std::int64_t, std::pair<DataKeyId, Done>> waiting_;  // by offset, to be folded
  std::function<void(const DataKeyId&)> destroyed_;
  UnixMs tick_until_{};
  UnixMs last_tick_{};
  bool closed_ = false;

  Keeper keeper_;
  std::thread thread_;
};

KafkaKeyStore::~KafkaKeyStore() {
  producer_.close(limits::kKafkaCallTimeout);
  // What was appended is answered once it is folded; the thread goes on until then, but not if no
  // broker sends it.
  {
    std::unique_lock lock(mutex_);
    folded_.wait_for(lock, std::chrono::milliseconds(limits::kKafkaCallTimeout.count),
                     [this] { return waiting_.empty(); });
    closed_ = true;
  }
  state_.closed = true;
  keeper_.stop();
  if (thread_.joinable()) thread_.join();
  std::vector<std::pair<DataKeyId, Done>> left;
  for (auto& [offset, entry] : waiting_) left.push_back(std::move(entry));
  waiting_.clear();
  answer(std::move(left), Error{ErrorCode::unknown_outcome, "the key store is closed", ""});
}

void KafkaKeyStore::put(WrappedKey key, Done done) {
  if (const Status sound = check_wrapped_key(key); !sound.ok()) return done(sound);
  const DataKeyId id = key.id;
  submit(id, std::move(key), std::move(done));
}

void KafkaKeyStore::destroy(const DataKeyId& id, Done done) {
  submit(id, std::nullopt, std::move(done));
}

// Requests take effect in the order in which they are appended, which is the order of this lock.
void KafkaKeyStore::submit(const DataKeyId& id, std::optional<WrappedKey> becomes, Done done) {
  std::optional<Error> refused;
  Bytes value;
  const std::string key = id.text();
  Outgoing outgoing;
  outgoing.to = partition_;
  outgoing.key = key;
  if (becomes) {
    value = key_record_value(*becomes);
    outgoing.value = value;
  }
  {
    const std::lock_guard lock(mutex_);
    refused = refusal(id, becomes);
    if (!refused) {
      refused = producer_.append(outgoing, [this, id, done](const AppendOutcome& outcome) {
        appended(id, outcome, done);
      });
    }
    if (!refused) {
      if (!becomes)
        tick_until_ = clock_.now() + Millis{options_.compaction_lag.count * kTickRounds};
      InFlight& flight = in_flight_[id];
      flight.becomes = std::move(becomes);
      ++flight.requests;
      ++requests_;
    }
  }
  if (refused) done(for_now(*refused));
}

std::optional<Error> KafkaKeyStore::refusal(const DataKeyId& id,
                                            const std::optional<WrappedKey>& becomes) const {
  if (closed_) return closed_error();
  if (!loaded_) {
    return not_open_.value_or(
        Error{ErrorCode::unavailable, "the keys are still being read", "is the broker there?"});
  }
  if (requests_ >= limits::kKeyStoreQueueMax) {
    return Error{ErrorCode::overloaded, "too many requests wait for the key store", ""};
  }
  if (!becomes) return std::nullopt;
  const auto flight = in_flight_.find(id);
  const WrappedKey* there = index_.find(id);
  if (flight != in_flight_.end()) {
    there = flight->second.becomes ? &*flight->second.becomes : nullptr;
  }
  if (there != nullptr && *there != *becomes) {
    return Error{ErrorCode::conflict, "another data key has this id", ""};
  }
  if (there == nullptr && index_.size() >= limits::kClusterKeysMax) {
    return Error{ErrorCode::overloaded, "there are as many data keys as memory is meant for", ""};
  }
  return std::nullopt;
}

void KafkaKeyStore::settle(const DataKeyId& id) {
  --requests_;
  const auto flight = in_flight_.find(id);
  if (flight != in_flight_.end() && --flight->second.requests == 0) in_flight_.erase(flight);
}

void KafkaKeyStore::appended(const DataKeyId& id, const AppendOutcome& outcome, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (outcome.committed()) {
      // Answered when it is folded, so that whoever hears of it finds it.
      if (read_to_ <= outcome.position.value) {
        waiting_.emplace(outcome.position.value, std::pair(id, std::move(done)));
        return;
      }
    }
    settle(id);
  }
  done(outcome.committed() ? Status() : Status(for_now(outcome.error)));
}

Result<WrappedKey> KafkaKeyStore::get(const DataKeyId& id) const {
  for (const bool again : {false, true}) {
    {
      const std::lock_guard lock(mutex_);
      if (const WrappedKey* key = index_.find(id)) return *key;
    }
    if (!again) ST_CHECK_OK(catch_up());
  }
  return Error{ErrorCode::not_found, "no such data key", ""};
}

Status KafkaKeyStore::list(const std::function<bool(const WrappedKey&)>& visit) const {
  ST_CHECK_OK(catch_up());
  std::vector<WrappedKey> keys;
  {
    const std::lock_guard lock(mutex_);
    keys = index_.all();
  }
  for (const WrappedKey& key : keys) {
    if (!visit(key)) break;
  }
  return {};
}

// Folds to the tail as of now.
Status KafkaKeyStore::catch_up() const {
  {
    const std::lock_guard lock(mutex_);
    // That there is no topic must not look as if there were no key: that means it was destroyed.
    if (not_open_) return *not_open_;
  }
  ST_ASSIGN(const Marks marks, tail());
  std::unique_lock lock(mutex_);
  const bool reached =
      folded_.wait_for(lock, std::chrono::milliseconds(limits::kKafkaCallTimeout.count),
                       [&] { return closed_ || read_to_ >= marks.high.value; });
  if (closed_) return closed_error();
  if (reached) {
    loaded_ = true;
    return {};
  }
  if (const auto refusal = state_.refusals.current()) return for_now(*refusal);
  return Error{ErrorCode::unavailable, "the keys are still being read", "is the broker there?"};
}

Result<Marks> KafkaKeyStore::tail() const {
  auto marks = admin_.marks(topic_, 0);
  if (marks.ok()) return marks;
  if (marks.error().code != ErrorCode::not_found) return for_now(marks.error());
  return Error{ErrorCode::unavailable, marks.error().message, "somebody deleted the keys' topic"};
}

void KafkaKeyStore::run() {
  std::string told;
  while (!state_.closed) {
    const Status opened = open_topic();
    {
      const std::lock_guard lock(mutex_);
      not_open_.reset();
      if (!opened.ok()) not_open_ = for_now(opened.error());
    }
    if (opened.ok()) return follow();
    const std::string why = opened.error().text();
    if (why != std::exchange(told, why)) log_warn("no keys yet", {{"error", opened.error()}});
    std::unique_lock lock(mutex_);
    folded_.wait_for(lock, std::chrono::milliseconds(limits::kKafkaContactInterval.count),
                     [this] { return closed_; });
  }
}

Status KafkaKeyStore::open_topic() {
  ST_CHECK_OK(admin_.ensure_topic({topic_, 1, keys_topic_config(options_)}));
  producer_.warm_up(topic_);
  made_ = true;
  return {};
}

// Folds the topic, from its beginning, until the store is closed.
void KafkaKeyStore::follow() {
  std::unique_ptr<Fetcher::Assignment> assignment;
  while (!state_.closed) {
    if (!assignment) {
      auto made = fetcher_.assign(
          topic_, 0, RD_KAFKA_OFFSET_BEGINNING, [](rd_kafka_t*, void*) {}, nullptr);
      if (!made.ok()) {
        log_error("the keys cannot be read", {{"error", made.error()}});
        return;
      }
      assignment = std::move(*made);
    }
    Message message = assignment->next(kStep);
    if (!message || fold(std::move(message))) continue;
    // The topic is shorter than it was, or another one: begin again with what it holds.
    assignment.reset();
    const std::lock_guard lock(mutex_);
    index_.clear();
    read_to_ = -1;
    loaded_ = false;
  }
}

// False if the position is not there any more.
bool KafkaKeyStore::fold(Message message) {
  if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
      message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
    log_error("the topic of keys has lost records", {{"topic", topic_}});
    return false;
  }
  const bool is_tail = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
  const std::string act = "read " + topic_;
  if (is_refusal(message->err)) {
    state_.refusals.note(act, lacks(act, {"Read", "topic", topic_}), false);
  }
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && !is_tail) return true;
  if (!state_.refusals.none()) state_.refusals.allow(act);
  std::vector<std::pair<DataKeyId, Done>> done;
  std::optional<DataKeyId> destroyed;
  std::function<void(const DataKeyId&)> tell;
  {
    const std::lock_guard lock(mutex_);
    if (!is_tail) destroyed = index_.fold(*message);
    loaded_ = loaded_ || is_tail;
    read_to_ = is_tail ? std::max(read_to_, message->offset) : message->offset + 1;
    const auto end = waiting_.lower_bound(read_to_);
    for (auto it = waiting_.begin(); it != end; ++it) {
      settle(it->second.first);
      done.push_back(std::move(it->second));
    }
    waiting_.erase(waiting_.begin(), end);
    tell = destroyed_;
  }
  folded_.notify_all();
  if (destroyed && tell) tell(*destroyed);
  answer(std::move(done), {});
  return true;
}

void KafkaKeyStore::answer(std::vector<std::pair<DataKeyId, Done>> done, const Status& status) {
  for (auto& [id, callback] : done) callback(status);
}

// A broker compacts only closed segments, and closes one only when something is appended.
void KafkaKeyStore::tick() {
  const UnixMs now = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    // Requests do what a tick does.
    if (!loaded_ || requests_ > 0 || now > tick_until_) return;
    if ((now - last_tick_).count < options_.compaction_lag.count / 2) return;
    last_tick_ = now;
  }
  Outgoing outgoing;
  outgoing.to = partition_;
  outgoing.key = kTickKey;
  outgoing.value = BytesView("{}");
  // Refused: the next one will do.
  (void)producer_.append(outgoing, [](const AppendOutcome&) {});
}

}  // namespace
}  // namespace kafka

Result<std::unique_ptr<KeyStore>> open_kafka_key_store(const KafkaKeyStoreOptions& options,
                                                       const Clock& clock) {
  auto store = std::make_unique<kafka::KafkaKeyStore>(options, clock);
  ST_CHECK_OK(store->start());
  return std::unique_ptr<KeyStore>(std::move(store));
}

}  // namespace sandtrail
