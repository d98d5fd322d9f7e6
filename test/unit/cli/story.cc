// SPDX-License-Identifier: Apache-2.0
#include "story.h"

#include <doctest/doctest.h>

#include "auditor/auditor_role.h"
#include "store/memory_kv_store.h"
#include "wire/topics.h"

namespace sandtrail::test {
namespace {

NoteSigner new_signer(Random& random) {
  auto signer = NoteSigner::create("test.local/audit", SecretBytes::random(32, random));
  REQUIRE(signer.ok());
  return std::move(*signer);
}

Actor an_operator() {
  Actor actor;
  actor.kind = ActorKind::op;
  actor.name = "root";
  actor.auth_method = "socket";
  return actor;
}

}  // namespace

struct Story::Parts {
  MemoryKvStore store;
  AuditWatch watch;
};

Story::Story()
    : log_(std::make_unique<MemoryLog>(MemoryLogOptions{}, clock_)),
      signer_(new_signer(random_)),
      parts_(std::make_unique<Parts>()) {
  RuntimeOptions options;
  options.events_partitions = kPartitions;
  options.threads = false;
  runtime_ = std::make_unique<Runtime>(options, *log_, parts_->store, clock_, random_);
  runtime_->add(make_auditor_projection());
  runtime_->add(&parts_->watch);
  runtime_->add(
      make_auditor_role(parts_->watch, signer_, {"test.local/audit", seconds(1)},
                        [this](const TopicPartition& where, Proposal proposal, ProposalDone done) {
                          runtime_->propose(where, std::move(proposal), std::move(done));
                        }));
  REQUIRE(runtime_->start().ok());
}

Story::~Story() {
  runtime_->stop();
}

void Story::step() {
  for (bool worked = true; worked;) {
    worked = false;
    for (std::size_t i = 0; i < runtime_->partitions().size(); ++i) worked |= runtime_->step(i);
  }
}

void Story::audit() {
  // Claims, entries and checkpoints each take a round.
  for (int round = 0; round < 6; ++round) {
    step();
    clock_.advance(seconds(1));
  }
  step();
}

void Story::organization(const std::string& name) {
  OrganizationCreated event;
  event.organization = OrgId::fresh(clock_, random_);
  event.name = name;
  event.grant = {5'000'000};
  Proposal proposal;
  proposal.org = event.organization;
  proposal.subject = event.organization.text();
  proposal.actor = an_operator();
  proposal.request_id = "req_" + std::to_string(++organizations_);
  proposal.body = event;
  const TopicPartition home = home_of(event.organization, kPartitions);
  bool applied = false;
  runtime_->propose(home, std::move(proposal),
                    [&](const ProposalOutcome& outcome) { applied = outcome.applied(); });
  for (std::size_t i = 0; i < runtime_->partitions().size(); ++i) {
    if (runtime_->partitions()[i] != home) continue;
    while (runtime_->step(i)) {
    }
  }
  REQUIRE(applied);
  clock_.advance(Millis{10});
}

void Story::refused() {
  Proposal proposal;
  proposal.org = OrgId::fresh(clock_, random_);
  proposal.actor = an_operator();
  proposal.body = BillingGranted{proposal.org, {1}, "to nobody"};
  const TopicPartition home = home_of(proposal.org, kPartitions);
  bool judged = false;
  runtime_->propose(home, std::move(proposal), [&](const ProposalOutcome& outcome) {
    judged = outcome.folded && !outcome.applied();
  });
  step();
  REQUIRE(judged);
}

std::unique_ptr<MemoryLog> Story::altered(const Change& change) {
  auto stamps = std::make_shared<ManualClock>(UnixMs{0});
  struct Owner {
    std::shared_ptr<ManualClock> clock;
    std::unique_ptr<MemoryLog> log;
  };
  static std::vector<Owner> owners;  // the log refers to the clock until the tests end
  owners.push_back({stamps, std::make_unique<MemoryLog>(MemoryLogOptions{}, *stamps)});
  MemoryLog& copy = *owners.back().log;
  for (const TopicPartition& where : runtime_->partitions()) {
    REQUIRE(copy.ensure_topic({where.topic, log_->partitions(where.topic)}).ok());
    auto reader = log_->open_reader(where, {0});
    REQUIRE(reader.ok());
    while (true) {
      auto batch = (*reader)->poll(1 << 20);
      REQUIRE(batch.ok());
      if (batch->records.empty()) break;
      for (const StoredRecord& stored : batch->records) {
        const auto record = change(where, stored);
        if (!record) continue;
        stamps->jump(stored.stamp - stamps->now());
        copy.append(where, *record,
                    [](const AppendOutcome& outcome) { REQUIRE(outcome.committed()); });
      }
    }
  }
  return copy.connect();
}

}  // namespace sandtrail::test
