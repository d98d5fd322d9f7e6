// SPDX-License-Identifier: Apache-2.0
#include "bench.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "wire/event_codec.h"

namespace sandtrail::test {
namespace {

std::string range(const std::vector<Folded>& batch) {
  return std::to_string(batch.front().position.value) + "-" +
         std::to_string(batch.back().position.value);
}

class ScriptPartition final : public RolePartition {
 public:
  ScriptPartition(RoleContext& context, Script& script) : context_(context), script_(script) {
    script_.live[context_.where()] = &context_;
    script_.seen.emplace_back("open");
  }
  ~ScriptPartition() override {
    script_.live.erase(context_.where());
    script_.seen.emplace_back("close");
  }
  void resume() override {
    script_.seen.emplace_back("resume");
    if (script_.on_resume) script_.on_resume(context_);
  }
  void on_committed(const std::vector<Folded>& batch) override {
    script_.seen.push_back("batch " + range(batch));
    if (script_.on_batch) script_.on_batch(context_, batch);
  }

 private:
  RoleContext& context_;
  Script& script_;
};

}  // namespace

void TallyProjection::apply(const Folded& folded, const CoreState&, Rows& rows) const {
  const std::string type =
      folded.event == nullptr ? "none" : std::string(type_of(folded.event->body));
  const auto before = rows.get("t" + type);
  rows.put("t" + type, std::to_string(before ? std::stoi(*before) + 1 : 1));
  Bytes key = "p";
  put_be64(key, static_cast<std::uint64_t>(folded.position.value));
  rows.put(key, folded.applied() ? "applied" : std::string(enum_text(folded.judgement.reason)));
  std::vector<Bytes> kept;
  rows.scan_back("p", "q", [&kept](BytesView position, BytesView) {
    kept.emplace_back(position);
    return true;
  });
  for (std::size_t i = 5; i < kept.size(); ++i) rows.remove(kept[i]);
}

int Script::count(const std::string& what) const {
  return static_cast<int>(std::count(seen.begin(), seen.end(), what));
}

std::unique_ptr<RolePartition> ScriptRole::open(RoleContext& context) {
  return std::make_unique<ScriptPartition>(context, script_);
}

void RecordingObserver::on_loaded(const PartitionView& view) {
  if (view.where() == kEvents) seen.push_back("loaded " + std::to_string(view.next().value));
}

void RecordingObserver::on_committed(const PartitionView& view, const std::vector<Folded>& batch) {
  if (view.where() == kEvents) seen.push_back("batch " + range(batch));
}

Bench::Bench(BenchOptions chosen) : options(chosen), log(chosen.log, clock) {}

Status Bench::start() {
  stop();
  RuntimeOptions runtime_options;
  runtime_options.events_partitions = 1;
  runtime_options.threads = options.threads;
  runtime_options.group = options.group;
  runtime_options.open_bases = options.objects;
  runtime = std::make_unique<Runtime>(runtime_options, log, store, clock, random);
  if (options.projection) runtime->add(std::make_unique<TallyProjection>());
  if (options.role) runtime->add(std::make_unique<ScriptRole>(script));
  runtime->add(&observer);
  return runtime->start();
}

void Bench::stop() {
  if (runtime) runtime->stop();
  runtime.reset();
}

void Bench::settle() {
  for (int idle = 0; idle < 2;) {
    log.run();
    bool worked = false;
    for (std::size_t i = 0; i < runtime->partitions().size(); ++i) worked |= runtime->step(i);
    idle = worked ? 0 : idle + 1;
  }
}

void Bench::pass(Millis span) {
  for (std::int64_t left = span.count; left > 0; left -= 500) {
    clock.advance({std::min<std::int64_t>(left, 500)});
    settle();
  }
}

Position Bench::append(const TopicPartition& where, const Event& event) {
  auto record = encode_event(event);
  REQUIRE(record.ok());
  // A stalled log answers later than this returns.
  const auto position = std::make_shared<Position>(-1);
  log.append(where, std::move(record).value(),
             [position](const AppendOutcome& outcome) { *position = outcome.position; });
  log.run();
  return *position;
}

Event Bench::event(EventBody body) {
  Event out;
  out.id = EventId::fresh(clock, random);
  out.time = clock.now();
  out.source = "/test";
  out.body = std::move(body);
  return out;
}

void Bench::foreign_claim(std::int64_t epoch) {
  append(kEvents, event(OwnerClaimed{DeciderRole::billing, epoch, "other", -1, {}}));
}

PartitionStatus Bench::status(const TopicPartition& where) {
  for (const auto& status : runtime->status()) {
    if (status.where == where) return status;
  }
  FAIL("no status of the partition");
  return {};
}

PartitionDigests Bench::digests(const TopicPartition& where) {
  auto digests = runtime->digests(where);
  REQUIRE(digests.ok());
  return std::move(digests).value();
}

std::string Bench::tally(const std::string& key) {
  std::string out = "-";
  REQUIRE(runtime->query(
      kEvents, [&](const PartitionView& view) { out = view.rows(kTally).get(key).value_or("-"); }));
  settle();
  return out;
}

std::int64_t Bench::epoch() {
  std::int64_t out = -1;
  REQUIRE(runtime->query(kEvents, [&](const PartitionView& view) {
    out = view.state().epoch_of(DeciderRole::billing);
  }));
  settle();
  return out;
}

Actor an_operator() {
  Actor actor;
  actor.kind = ActorKind::op;
  actor.name = "root";
  return actor;
}

Proposal create_organization(const OrgId& org) {
  Proposal proposal;
  proposal.org = org;
  proposal.subject = org.text();
  proposal.actor = an_operator();
  OrganizationCreated body;
  body.organization = org;
  body.name = "Acme";
  body.grant = {1'000'000};
  proposal.body = body;
  return proposal;
}

Proposal adopt_card(std::int64_t version) {
  Proposal proposal;
  proposal.subject = "rate-card/" + std::to_string(version);
  proposal.body = PlatformAdopted{version, {version, {100}}};
  return proposal;
}

}  // namespace sandtrail::test
