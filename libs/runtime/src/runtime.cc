// SPDX-License-Identifier: Apache-2.0
#include "runtime/runtime.h"

#include <algorithm>
#include <future>

#include "partition_runner.h"
#include "wire/topics.h"

namespace sandtrail {

struct Runtime::Impl {
  RuntimeOptions options;
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

  PartitionRunner* runner(const TopicPartition& where) const {
    for (const auto& runner : runners) {
      if (runner->where() == where) return runner.get();
    }
    return nullptr;
  }
  Status own(Role& role);
};

namespace {

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

}  // namespace

Runtime::Runtime(RuntimeOptions options, EventLog& log, KvStore& store, Clock& clock,
                 Random& random)
    : impl_(new Impl{std::move(options), log, store, clock, random, {}, {}, {}, {}, {}, {}}) {}

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

Status Runtime::start() {
  Impl& in = *impl_;
  const std::pair<TopicKind, std::int32_t> topics[] = {
      {TopicKind::events, in.options.events_partitions},
      {TopicKind::platform, 1},
      {TopicKind::audit, 1}};
  for (const auto& [kind, count] : topics) {
    const std::string topic(topic_of(kind));
    ST_CHECK_OK(in.log.ensure_topic({topic, count}));
    for (std::int32_t partition = 0; partition < count; ++partition) {
      in.runners.push_back(std::make_unique<PartitionRunner>(
          TopicPartition{topic, partition},
          RunnerParts{in.options, in.log, in.store, in.clock, in.random, in.projections, in.roles,
                      in.observers}));
    }
  }
  for (const auto& runner : in.runners) ST_CHECK_OK(runner->open());
  if (in.options.threads) {
    for (const auto& runner : in.runners) runner->start_thread();
  }
  for (const auto& role : in.roles) ST_CHECK_OK(in.own(*role));
  return {};
}

void Runtime::stop() {
  // Leaving the groups first lets others take over while we drain.
  impl_->ownerships.clear();
  for (const auto& runner : impl_->runners) runner->stop();
}

void Runtime::propose(const TopicPartition& where, Proposal proposal, ProposalDone done) {
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
  for (const auto& runner : impl_->runners) out.push_back(runner->where());
  return out;
}

TopicPartition Runtime::home(const OrgId& org) const {
  return home_of(org, impl_->options.events_partitions);
}

namespace {

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

std::vector<PartitionStatus> Runtime::status() {
  std::vector<PartitionStatus> out;
  for (const auto& runner : impl_->runners) {
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

std::string Runtime::not_ready_because() const {
  for (const auto& runner : impl_->runners) {
    const std::string because = runner->not_ready_because();
    if (!because.empty()) return because;
  }
  return "";
}

bool Runtime::step(std::size_t partition_index) {
  ST_ASSERT(!impl_->options.threads && partition_index < impl_->runners.size());
  return impl_->runners[partition_index]->step();
}

}  // namespace sandtrail
