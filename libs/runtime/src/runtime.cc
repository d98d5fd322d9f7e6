// SPDX-License-Identifier: Apache-2.0
#include "runtime/runtime.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>

#include "base/worker_pool.h"
#include "partition_runner.h"
#include "wire/topics.h"

namespace sandtrail {

struct Runtime::Impl {
  Impl(RuntimeOptions options_in, EventLog& log_in, KvStore& store_in, Clock& clock_in,
       Random& random_in)
      : options(std::move(options_in)),
        log(log_in),
        store(store_in),
        clock(clock_in),
        random(random_in) {}

  const RuntimeOptions options;
  EventLog& log;
  KvStore& store;
  Clock& clock;
  Random& random;
  std::vector<std::unique_ptr<Projection>> projections;
  std::vector<std::unique_ptr<Role>> roles;
  std::vector<Observer*> observers;
  std::vector<std::unique_ptr<PartitionRunner>> runners;
  std::vector<std::unique_ptr<OwnershipListener>> listeners;
  std::vector<std::unique_ptr<Ownership>> ownerships;
  // Runners are there, for good: before it only start() touches them.
  std::atomic<bool> opened{false};
  std::atomic<bool> started{false};
  mutable std::mutex why_mutex;
  std::string why_not = "it was not started";

  PartitionRunner* runner(const TopicPartition& where) const {
    if (!opened) return nullptr;
    for (const auto& runner : runners) {
      if (runner->where() == where) return runner.get();
    }
    return nullptr;
  }
  const std::vector<std::unique_ptr<PartitionRunner>>& open_runners() const {
    static const std::vector<std::unique_ptr<PartitionRunner>> none;
    return opened ? runners : none;
  }
  Status open();
  Status open_each(const std::vector<std::unique_ptr<PartitionRunner>>& opening);
  Status start();
  Status own(Role& role);
};

namespace {

constexpr std::size_t kOpenedAtOnceMax = 32;  // partitions

// Passes one role's assignments on to the partitions' threads.
class RoleListener final : public OwnershipListener {
 public:
  RoleListener(DeciderRole role, std::function<PartitionRunner*(const TopicPartition&)> find,
               bool threads)
      : role_(role), find_(std::move(find)), threads_(threads) {}

  void on_assigned(const TopicPartition& where) override { set(where, true, false); }
  // The hand-over waits until the role has stopped acting.
  void on_revoked(const TopicPartition& where) override { set(where, false, threads_); }
  void on_lost(const TopicPartition& where) override { set(where, false, false); }

 private:
  void set(const TopicPartition& where, bool assigned, bool wait) {
    PartitionRunner* runner = find_(where);
    if (runner == nullptr) return;
    auto finished = std::make_shared<std::promise<void>>();
    auto future = finished->get_future();
    const bool posted = runner->post([runner, role = role_, assigned, finished] {
      runner->set_assigned(role, assigned);
      finished->set_value();
    });
    if (posted && wait) future.wait();
  }

  DeciderRole role_;
  std::function<PartitionRunner*(const TopicPartition&)> find_;
  bool threads_;
};

// Runs `read` on the partition's thread and waits for what it returns.
template <typename T>
std::optional<T> ask(PartitionRunner& runner, bool threads, std::function<T()> read) {
  if (!threads) return read();
  auto answer = std::make_shared<std::promise<T>>();
  auto future = answer->get_future();
  if (!runner.post([answer, read = std::move(read)] { answer->set_value(read()); })) {
    return std::nullopt;
  }
  return future.get();
}

}  // namespace

Runtime::Runtime(RuntimeOptions options, EventLog& log, KvStore& store, Clock& clock,
                 Random& random)
    : impl_(new Impl(std::move(options), log, store, clock, random)) {}

Runtime::~Runtime() {
  stop();
}

void Runtime::add(std::unique_ptr<Projection> projection) {
  impl_->projections.push_back(std::move(projection));
}
void Runtime::add(std::unique_ptr<Role> role) {
  impl_->roles.push_back(std::move(role));
}
void Runtime::add(Observer* observer) {
  impl_->observers.push_back(observer);
}

Status Runtime::Impl::own(Role& role) {
  std::vector<std::string> topics;
  for (const auto kind : {TopicKind::events, TopicKind::platform, TopicKind::audit}) {
    if (role.owns(kind)) topics.emplace_back(topic_of(kind));
  }
  listeners.push_back(std::make_unique<RoleListener>(
      role.name(), [this](const TopicPartition& where) { return runner(where); }, options.threads));
  const std::string group = "sandtrail-" + std::string(enum_text(role.name()));
  ST_ASSIGN(auto ownership, log.own(group, topics, *listeners.back()));
  ownerships.push_back(std::move(ownership));
  return {};
}

// A log on other machines answers many as soon as one.
Status Runtime::Impl::open_each(const std::vector<std::unique_ptr<PartitionRunner>>& opening) {
  if (!options.threads) {
    for (const auto& runner : opening) ST_CHECK_OK(runner->open());
    return {};
  }
  std::vector<Status> outcomes(opening.size());
  {
    WorkerPool pool(static_cast<int>(std::min(opening.size(), kOpenedAtOnceMax)));
    for (std::size_t i = 0; i < opening.size(); ++i) {
      pool.post([&, i] { outcomes[i] = opening[i]->open(); });
    }
  }
  for (const Status& one : outcomes) ST_CHECK_OK(one);
  return {};
}

// All partitions or none: what was opened before an error is dropped.
Status Runtime::Impl::open() {
  const std::pair<TopicKind, std::int32_t> topics[] = {
      {TopicKind::events, options.events_partitions},
      {TopicKind::platform, 1},
      {TopicKind::audit, 1}};
  std::vector<std::unique_ptr<PartitionRunner>> opening;
  for (const auto& [kind, count] : topics) {
    const std::string topic(topic_of(kind));
    ST_CHECK_OK(log.ensure_topic({topic, count}));
    for (std::int32_t partition = 0; partition < count; ++partition) {
      opening.push_back(std::make_unique<PartitionRunner>(
          TopicPartition{topic, partition},
          RunnerParts{options, log, store, clock, random, projections, roles, observers}));
    }
  }
  ST_CHECK_OK(open_each(opening));
  runners = std::move(opening);
  opened = true;
  if (options.threads) {
    for (const auto& runner : runners) runner->start_thread();
  }
  return {};
}

Status Runtime::Impl::start() {
  if (!opened) ST_CHECK_OK(open());
  while (ownerships.size() < roles.size()) ST_CHECK_OK(own(*roles[ownerships.size()]));
  return {};
}

Status Runtime::start() {
  const Status status = impl_->start();
  if (status.ok()) {
    impl_->started = true;
    return status;
  }
  waits_for(status.error());
  return status;
}

void Runtime::waits_for(const Error& missing) {
  const std::lock_guard lock(impl_->why_mutex);
  impl_->why_not = missing.told();
}

void Runtime::leave() {
  impl_->ownerships.clear();
  // A log that hands over by itself has told the listeners; any other has not.
  for (const auto& runner : impl_->open_runners()) {
    ask<bool>(*runner, impl_->options.threads, [&runner] {
      runner->unassign_all();
      return true;
    });
  }
}

void Runtime::stop() {
  leave();
  for (const auto& runner : impl_->open_runners()) runner->stop();
}

void Runtime::propose(const TopicPartition& where, Proposal proposal, ProposalDone done) {
  if (!impl_->opened) {
    ProposalOutcome outcome;
    outcome.error = {ErrorCode::unavailable, "the service is still starting", ""};
    return done(outcome);
  }
  PartitionRunner* runner = impl_->runner(where);
  ST_ASSERT(runner != nullptr);
  runner->propose(std::move(proposal), std::nullopt, std::move(done));
}

bool Runtime::query(const TopicPartition& where, std::function<void(const PartitionView&)> read) {
  PartitionRunner* runner = impl_->runner(where);
  return runner != nullptr && runner->offer(std::move(read));
}

bool Runtime::query_at(const TopicPartition& where, Position at_least, Millis wait,
                       std::function<void(const PartitionView&, bool)> read) {
  PartitionRunner* runner = impl_->runner(where);
  return runner != nullptr && runner->offer_at(at_least, wait, std::move(read));
}

std::vector<TopicPartition> Runtime::partitions() const {
  std::vector<TopicPartition> out;
  for (const auto& runner : impl_->open_runners()) out.push_back(runner->where());
  return out;
}

TopicPartition Runtime::home(const OrgId& org) const {
  return home_of(org, impl_->options.events_partitions);
}

std::vector<PartitionStatus> Runtime::status() {
  std::vector<PartitionStatus> out;
  for (const auto& runner : impl_->open_runners()) {
    auto status = ask<PartitionStatus>(*runner, impl_->options.threads,
                                       [&runner] { return runner->status(); });
    if (status) out.push_back(std::move(*status));
  }
  return out;
}

Result<PartitionDigests> Runtime::digests(const TopicPartition& where) {
  PartitionRunner* runner = impl_->runner(where);
  if (runner == nullptr) return Error{ErrorCode::not_found, "no partition " + where.text(), ""};
  auto digests = ask<Result<PartitionDigests>>(*runner, impl_->options.threads,
                                               [runner] { return runner->digests(); });
  if (!digests) return Error{ErrorCode::unavailable, "the service is stopping", ""};
  return std::move(*digests);
}

Millis Runtime::behind(const TopicPartition& where) const {
  const PartitionRunner* runner = impl_->runner(where);
  return runner == nullptr ? Millis{0} : runner->currency().behind(impl_->clock.now());
}

Millis Runtime::behind() const {
  Millis longest;
  for (const auto& runner : impl_->open_runners()) {
    longest = std::max(longest, runner->currency().behind(impl_->clock.now()));
  }
  return longest;
}

bool Runtime::started() const {
  return impl_->started;
}

std::optional<LogAway> Runtime::away(const TopicPartition& where) const {
  const PartitionRunner* runner = impl_->runner(where);
  return runner == nullptr ? std::nullopt : runner->currency().away();
}

std::optional<LogAway> Runtime::away() const {
  std::optional<LogAway> worst;
  for (const auto& runner : impl_->open_runners()) {
    auto away = runner->currency().away();
    if (away && (!worst || away->since < worst->since)) worst = std::move(away);
  }
  return worst;
}

std::optional<UnixMs> Runtime::passed(const TopicPartition& where, Position position) const {
  const PartitionRunner* runner = impl_->runner(where);
  return runner == nullptr ? std::nullopt : runner->currency().passed(position);
}

std::string Runtime::not_ready_because() const {
  if (!impl_->started) {
    const std::lock_guard lock(impl_->why_mutex);
    return "waiting for the log: " + impl_->why_not;
  }
  for (const auto& runner : impl_->open_runners()) {
    const std::string because = runner->not_ready_because();
    if (!because.empty()) return because;
  }
  return "";
}

bool Runtime::step(std::size_t partition_index) {
  ST_ASSERT(!impl_->options.threads && impl_->opened);
  ST_ASSERT(partition_index < impl_->runners.size());
  return impl_->runners[partition_index]->step();
}

}  // namespace sandtrail
