// SPDX-License-Identifier: Apache-2.0
// A process that dies at any write of its store: the position and what was folded up to it are
// there together, or neither is.
#include <doctest/doctest.h>

#include "bench.h"
#include "wire/event_codec.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

// Takes so many writes and no other: what is written before a death is there after it.
class DyingStore final : public KvStore {
 public:
  DyingStore(KvStore& inner, int writes) : inner_(inner), left_(writes) {}
  Result<std::optional<Bytes>> get(BytesView key) const override { return inner_.get(key); }
  Status scan(BytesView begin, BytesView end, const Visit& visit) const override {
    return inner_.scan(begin, end, visit);
  }
  Status scan_back(BytesView begin, BytesView end, const Visit& visit) const override {
    return inner_.scan_back(begin, end, visit);
  }
  Status write(const WriteBatch& batch, Sync sync) override {
    if (left_ <= 0) return Error{ErrorCode::internal, "dead", ""};
    --left_;
    return inner_.write(batch, sync);
  }
  Status compact(BytesView begin, BytesView end) override { return inner_.compact(begin, end); }
  bool dead() const { return left_ <= 0; }

 private:
  KvStore& inner_;
  int left_;
};

// A process that folds the bench's log into `store`, one record at a time, until it dies.
PartitionDigests fold(Bench& bench, KvStore& store) {
  RuntimeOptions options;
  options.events_partitions = 1;
  options.threads = false;
  Runtime runtime(options, bench.log, store, bench.clock, bench.random);
  runtime.add(std::make_unique<TallyProjection>());
  REQUIRE(runtime.start().ok());
  while (runtime.step(0)) {
  }
  auto digests = runtime.digests(kEvents);
  REQUIRE(digests.ok());
  return std::move(digests).value();
}

void create_organizations(Bench& bench, int count) {
  for (int i = 0; i < count; ++i) {
    const OrgId org = OrgId::fresh(bench.clock, bench.random);
    Event event = bench.event(std::get<OrganizationCreated>(create_organization(org).body));
    event.org = org;
    event.actor = an_operator();
    bench.append(kEvents, event);
  }
}

}  // namespace

TEST_CASE("wherever a process dies, its store holds the position with what was folded up to it") {
  Bench bench;
  REQUIRE(bench.log.ensure_topic({"events", 1}).ok());
  create_organizations(bench, 3);
  MemoryKvStore undisturbed;
  fold(bench, undisturbed);
  create_organizations(bench, 2);
  const PartitionDigests right = fold(bench, undisturbed);
  bool lived = false;
  for (int writes = 0; !lived; ++writes) {
    CAPTURE(writes);
    REQUIRE(writes < 100);
    MemoryKvStore store;
    DyingStore dying(store, writes);
    fold(bench, dying);
    lived = !dying.dead();
    const PartitionDigests after = fold(bench, store);
    CHECK(after.next == right.next);
    CHECK(after.fold == right.fold);
    CHECK(after.core == right.core);
    CHECK(after.projections == right.projections);
  }
}
