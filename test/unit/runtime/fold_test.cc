// SPDX-License-Identifier: Apache-2.0
// read -> fold -> projection -> commit, restart, and what a runtime refuses.
#include <doctest/doctest.h>

#include "bench.h"
#include "store/kv_store.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

// Creates organisations through the runtime; all applied.
void create(Bench& bench, int count) {
  for (int i = 0; i < count; ++i) {
    Ended ended;
    bench.runtime->propose(kEvents, create_organization(OrgId::fresh(bench.clock, bench.random)),
                           ended.done());
    bench.settle();
    REQUIRE(ended.times == 1);
    REQUIRE(ended.outcome.applied());
  }
}

const std::string kCreated = "tsandtrail.organization.created";

}  // namespace

TEST_CASE("records are folded, projected and committed, and proposals hear of it") {
  Bench bench;
  REQUIRE(bench.start().ok());
  bench.settle();
  create(bench, 3);
  CHECK(bench.tally(kCreated) == "3");
  const PartitionStatus status = bench.status();
  CHECK(status.next == status.high);
  CHECK(status.caught_up);
  CHECK(status.stopped.empty());
  CHECK(bench.runtime->not_ready_because().empty());
}

TEST_CASE("a restart goes on at the stored position, with the same state") {
  Bench bench;
  REQUIRE(bench.start().ok());
  bench.settle();
  create(bench, 3);
  const PartitionDigests before = bench.digests();
  bench.observer.seen.clear();
  bench.options.role = false;
  REQUIRE(bench.start().ok());
  bench.settle();
  REQUIRE(bench.observer.seen.size() == 1);  // nothing was folded again
  CHECK(bench.observer.seen[0] == "loaded " + std::to_string(before.next.value));
  const PartitionDigests after = bench.digests();
  CHECK(after.fold == before.fold);
  CHECK(after.core == before.core);
  CHECK(after.projections == before.projections);
  create(bench, 1);
  CHECK(bench.tally(kCreated) == "4");
}

TEST_CASE("a store that lost its unsynced batches folds them again") {
  Bench bench;
  REQUIRE(bench.start().ok());
  bench.settle();
  create(bench, 3);
  bench.stop();
  bench.store.crash();
  bench.options.role = false;
  REQUIRE(bench.start().ok());
  bench.settle();
  CHECK(bench.tally(kCreated) == "3");
}

TEST_CASE("a rebuild from zero gives the same digests") {
  Bench bench;
  REQUIRE(bench.start().ok());
  bench.settle();
  create(bench, 20);
  bench.pass(minutes(4));  // judged ids are forgotten
  create(bench, 5);
  const PartitionDigests before = bench.digests();
  MemoryKvStore other;
  RuntimeOptions options;
  options.events_partitions = 1;
  options.threads = false;
  Runtime rebuilt(options, bench.log, other, bench.clock, bench.random);
  rebuilt.add(std::make_unique<TallyProjection>());
  REQUIRE(rebuilt.start().ok());
  while (rebuilt.step(0)) {
  }
  const auto after = rebuilt.digests(kEvents);
  REQUIRE(after.ok());
  CHECK(after->next == before.next);
  CHECK(after->fold == before.fold);
  CHECK(after->core == before.core);
  CHECK(after->projections == before.projections);
}

TEST_CASE("the store of another log is refused") {
  Bench bench;
  REQUIRE(bench.start().ok());
  bench.settle();
  bench.stop();
  bench.log.replace();
  const Status status = bench.start();
  REQUIRE(!status.ok());
  CHECK(status.error().code == ErrorCode::conflict);
  CHECK(status.error().message.find("another log") != std::string::npos);
}

TEST_CASE("a log shorter than the store is refused") {
  Bench bench;
  REQUIRE(bench.start().ok());
  bench.settle();
  create(bench, 3);
  bench.stop();
  bench.log.shorten(kEvents, {1});
  const Status status = bench.start();
  REQUIRE(!status.ok());
  CHECK(status.error().code == ErrorCode::conflict);
  CHECK(!status.error().hint.empty());
}

TEST_CASE("a log with another history up to the same position is refused") {
  Bench bench;
  bench.options.role = false;
  REQUIRE(bench.start().ok());
  bench.settle();
  create(bench, 3);
  bench.stop();
  bench.log.shorten(kEvents, {1});
  for (int i = 0; i < 4; ++i) bench.append(kEvents, bench.event(AccessDenied{}));
  const Status status = bench.start();
  REQUIRE(!status.ok());
  CHECK(status.error().code == ErrorCode::conflict);
  CHECK(status.error().message.find("another record") != std::string::npos);
}

TEST_CASE("a log trimmed past the store is refused") {
  Bench bench;
  REQUIRE(bench.start().ok());
  bench.settle();
  bench.stop();
  for (int i = 0; i < 5; ++i) bench.append(kEvents, bench.event(AccessDenied{}));
  bench.log.trim_unasked(kEvents, {4});
  const Status status = bench.start();
  REQUIRE(!status.ok());
  CHECK(status.error().code == ErrorCode::not_found);
}

TEST_CASE("a log trimmed exactly up to the store is fine") {
  Bench bench;
  bench.options.role = false;
  REQUIRE(bench.start().ok());
  bench.settle();
  create(bench, 3);
  const Position next = bench.status().next;
  bench.stop();
  bench.log.trim_unasked(kEvents, next);
  REQUIRE(bench.start().ok());
  bench.settle();
  create(bench, 1);
  CHECK(bench.tally(kCreated) == "4");
}

TEST_CASE("a last record that cannot be read any more is refused") {
  Bench bench;
  bench.options.role = false;
  REQUIRE(bench.start().ok());
  bench.settle();
  create(bench, 3);
  const Position last{bench.status().next.value - 1};
  bench.stop();
  bench.log.damage(kEvents, last);
  CHECK(bench.start().error().code == ErrorCode::corrupt);
}

TEST_CASE("the last record is not folded again when it is compared") {
  Bench bench;
  bench.options.role = false;
  REQUIRE(bench.start().ok());
  bench.settle();
  create(bench, 2);
  bench.stop();
  for (int i = 0; i < 2; ++i) bench.append(kEvents, bench.event(AccessDenied{}));
  bench.observer.seen.clear();
  REQUIRE(bench.start().ok());
  bench.settle();
  CHECK(bench.observer.seen == std::vector<std::string>{"loaded 2", "batch 2-3"});
}

TEST_CASE("a log that gets shorter, trimmed or damaged while it is read stops the partition") {
  for (const int kind : {0, 1}) {
    CAPTURE(kind);
    Bench bench;
    bench.options.role = false;
    REQUIRE(bench.start().ok());
    bench.settle();
    create(bench, 3);
    if (kind == 0) bench.log.shorten(kEvents, {1});
    if (kind == 1) {
      bench.append(kEvents, bench.event(AccessDenied{}));
      bench.log.damage(kEvents, {3});
    }
    bench.settle();
    CHECK(bench.runtime->not_ready_because().find("events/0 has stopped") == 0);
    CHECK(!bench.status().stopped.empty());
    CHECK(bench.status(kPlatform).stopped.empty());
  }
}

TEST_CASE("another fold version drops the rows and folds the log anew") {
  Bench bench;
  bench.options.role = false;
  REQUIRE(bench.start().ok());
  bench.settle();
  create(bench, 3);
  const PartitionDigests before = bench.digests();
  bench.stop();
  // What an older binary would have left: its version, and a row that no longer means anything.
  Bytes meta_key;
  Bytes meta;
  REQUIRE(bench.store
              .scan("events", "eventt",
                    [&](BytesView key, BytesView value) {
                      if (value.find("fold_version") != BytesView::npos) {
                        meta_key = key;
                        meta = value;
                      }
                      return true;
                    })
              .ok());
  const std::string now = "\"fold_version\":" + std::to_string(kFoldVersion);
  REQUIRE(meta.find(now) != Bytes::npos);
  meta.replace(meta.find(now), now.size(), "\"fold_version\":-7");
  WriteBatch batch;
  batch.put(meta_key, meta);
  batch.put(meta_key.substr(0, meta_key.size() - 1) + "Ptally" + std::string(1, '\0') + "tjunk",
            "9");
  REQUIRE(bench.store.write(batch, KvStore::Sync::yes).ok());
  REQUIRE(bench.start().ok());
  bench.settle();
  CHECK(bench.tally("tjunk") == "-");
  CHECK(bench.tally(kCreated) == "3");
  CHECK(bench.digests().core == before.core);
  CHECK(bench.digests().projections == before.projections);
}

TEST_CASE("a store that was folded without a projection is folded anew for it") {
  Bench bench;
  bench.options.role = false;
  bench.options.projection = false;
  REQUIRE(bench.start().ok());
  bench.settle();
  create(bench, 3);
  const std::string core = bench.digests().core;
  bench.options.projection = true;
  REQUIRE(bench.start().ok());
  bench.settle();
  CHECK(bench.tally(kCreated) == "3");
  CHECK(bench.digests().core == core);
}

TEST_CASE("a store write error stops the partition, whatever its code, and is reported") {
  for (const ErrorCode code : {ErrorCode::internal, ErrorCode::disk_full, ErrorCode::unavailable}) {
    CAPTURE(name_of(code));
    Bench bench;
    REQUIRE(bench.start().ok());
    bench.settle();
    create(bench, 1);
    bench.store.fail_next_write({code, "the disk is gone", ""});
    Ended ended;
    bench.runtime->propose(kEvents, create_organization(OrgId::fresh(bench.clock, bench.random)),
                           ended.done());
    bench.settle();
    CHECK(bench.runtime->not_ready_because().find("the disk is gone") != std::string::npos);
    CHECK(bench.script.live.empty());
    REQUIRE(ended.times == 1);
    CHECK(!ended.outcome.folded);
    // Later ones end at once.
    Ended late;
    bench.runtime->propose(kEvents, create_organization(OrgId::fresh(bench.clock, bench.random)),
                           late.done());
    bench.settle();
    REQUIRE(late.times == 1);
    CHECK(late.outcome.error.code == ErrorCode::unavailable);
    // A restart folds what could not be committed.
    bench.stop();
    bench.store.crash();
    REQUIRE(bench.start().ok());
    bench.settle();
    CHECK(bench.tally(kCreated) == "2");
  }
}

TEST_CASE("a store read error inside a projection stops the partition before a commit") {
  Bench bench;
  bench.options.role = false;
  REQUIRE(bench.start().ok());
  bench.settle();
  create(bench, 2);
  const Position before = bench.status().next;
  bench.store.fail_reads(Error{ErrorCode::unavailable, "no reads", ""});
  bench.runtime->propose(kEvents, create_organization(OrgId::fresh(bench.clock, bench.random)),
                         [](const ProposalOutcome&) {});
  bench.settle();
  CHECK(!bench.runtime->not_ready_because().empty());
  bench.stop();
  bench.store.fail_reads(std::nullopt);
  bench.observer.seen.clear();
  REQUIRE(bench.start().ok());
  bench.settle();
  CHECK(bench.observer.seen.at(0) == "loaded " + std::to_string(before.value));
  CHECK(bench.tally(kCreated) == "3");
}

TEST_CASE("rules that this version does not know stop the partition before that record") {
  Bench bench;
  bench.options.role = false;
  REQUIRE(bench.start().ok());
  bench.settle();
  const auto org = OrgId::fresh(bench.clock, bench.random);
  Event created = bench.event(std::get<OrganizationCreated>(create_organization(org).body));
  created.org = org;
  created.actor = an_operator();
  bench.append(kEvents, created);
  Event rules = bench.event(RulesActivated{kRulesKnown + 1});
  rules.actor = an_operator();
  const Position at = bench.append(kEvents, rules);
  bench.append(kEvents, bench.event(AccessDenied{}));
  bench.settle();
  // What stood before it counts, for observers as well.
  CHECK(bench.observer.seen.back() == "batch 0-" + std::to_string(at.value - 1));
  CHECK(bench.status().next == at);
  CHECK(bench.runtime->not_ready_because().find("rules") != std::string::npos);
  CHECK(bench.tally(kCreated) == "1");
  // Again after a restart: the record is not taken for a repeat.
  REQUIRE(bench.start().ok());
  bench.settle();
  CHECK(bench.status().next == at);
  CHECK(bench.runtime->not_ready_because().find("rules") != std::string::npos);
}

TEST_CASE("a partition is ready although the log ends in positions that were never given") {
  Bench bench;
  bench.options.role = false;
  bench.log.set_faults({0, 0, 0, 0, 0, 1000, 0});  // a gap before each record
  for (int i = 0; i < 3; ++i) bench.append(kEvents, bench.event(AccessDenied{}));
  REQUIRE(bench.start().ok());
  bench.settle();
  CHECK(bench.runtime->not_ready_because().empty());
}

TEST_CASE("observers see the loaded state first, then every batch in order") {
  Bench bench;
  bench.options.role = false;
  REQUIRE(bench.start().ok());
  bench.append(kEvents, bench.event(AccessDenied{}));
  bench.append(kEvents, bench.event(AccessDenied{}));
  bench.settle();
  bench.append(kEvents, bench.event(AccessDenied{}));
  bench.settle();
  CHECK(bench.observer.seen == std::vector<std::string>{"loaded 0", "batch 0-1", "batch 2-2"});
}

TEST_CASE("void records are counted, also over a restart") {
  Bench bench;
  bench.options.role = false;
  REQUIRE(bench.start().ok());
  bench.settle();
  create(bench, 2);
  for (int i = 0; i < 3; ++i) bench.append(kEvents, bench.event(AccessDenied{}));
  bench.settle();
  CHECK(bench.status().void_records == 3);
  REQUIRE(bench.start().ok());
  bench.append(kEvents, bench.event(AccessDenied{}));
  bench.settle();
  CHECK(bench.status().void_records == 4);
}

TEST_CASE("nobody waits for positions that are never given") {
  Bench bench;
  bench.options.role = false;
  REQUIRE(bench.start().ok());
  bench.settle();
  create(bench, 1);
  bench.log.skip(kEvents, 2);
  bench.settle();
  for (const bool restarted : {false, true}) {
    CAPTURE(restarted);
    if (restarted) {
      REQUIRE(bench.start().ok());
      bench.settle();
    }
    bool there = false;
    REQUIRE(bench.runtime->query_at(kEvents, bench.log.marks(kEvents)->high, seconds(60),
                                    [&](const PartitionView&, bool reached) { there = reached; }));
    bench.settle();
    CHECK(there);
    CHECK(bench.status().next.value == 1);
    CHECK(bench.status().high == bench.status().next);
    CHECK(bench.status().caught_up);
  }
  create(bench, 1);
  CHECK(bench.status().next.value == 4);
}

TEST_CASE("query_at waits for a position, or says that it was not reached") {
  Bench bench;
  bench.options.role = false;
  REQUIRE(bench.start().ok());
  bench.settle();
  int reached = 0;
  int missed = 0;
  const auto read = [&](const PartitionView&, bool there) { ++(there ? reached : missed); };
  REQUIRE(bench.runtime->query_at(kEvents, {0}, seconds(1), read));
  bench.settle();
  CHECK(reached == 1);
  REQUIRE(bench.runtime->query_at(kEvents, {1}, seconds(1), read));
  bench.settle();
  CHECK(reached == 1);
  create(bench, 1);
  CHECK(reached == 2);
  REQUIRE(bench.runtime->query_at(kEvents, {50}, seconds(1), read));
  bench.settle();
  bench.clock.advance(seconds(1));
  bench.settle();
  CHECK(missed == 1);
  // Stopping answers those that still wait.
  REQUIRE(bench.runtime->query_at(kEvents, {50}, seconds(60), read));
  bench.settle();
  bench.runtime->stop();
  CHECK(missed == 2);
  CHECK(!bench.runtime->query(kEvents, [](const PartitionView&) {}));
}

TEST_CASE("a partition that log time has outrun by more than 30 s is not live and says so") {
  Bench bench;
  REQUIRE(bench.start().ok());
  bench.settle();
  CHECK(bench.script.live.size() == 1);
  bench.clock.jump(seconds(60));
  bench.append(kEvents, bench.event(AccessDenied{}));
  bench.clock.jump(seconds(-60));
  bench.settle();
  CHECK(bench.runtime->not_ready_because().find("clock") != std::string::npos);
  CHECK(bench.script.live.empty());
  bench.pass(seconds(40));
  CHECK(bench.runtime->not_ready_because().empty());
  CHECK(bench.script.live.size() == 1);
}

TEST_CASE("a store with more projections than are wanted keeps what is, one with fewer nothing") {
  Bench bench;
  bench.options.role = false;
  REQUIRE(bench.start().ok());
  bench.settle();
  create(bench, 3);
  const PartitionDigests with = bench.digests();
  bench.observer.seen.clear();
  bench.options.projection = false;
  REQUIRE(bench.start().ok());
  bench.settle();
  CHECK(bench.observer.seen.at(0) == "loaded " + std::to_string(with.next.value));
  CHECK(bench.digests().core == with.core);
  CHECK(bench.digests().projections.empty());
  bool left = false;
  REQUIRE(bench.store
              .scan({}, {},
                    [&left](BytesView key, BytesView) {
                      left = left || key.find(kTally) != BytesView::npos;
                      return true;
                    })
              .ok());
  CHECK(!left);
  bench.observer.seen.clear();
  bench.options.projection = true;
  REQUIRE(bench.start().ok());
  bench.settle();
  CHECK(bench.observer.seen.at(0) == "loaded 0");
  CHECK(bench.digests().projections == with.projections);
}
