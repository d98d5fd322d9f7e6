// SPDX-License-Identifier: Apache-2.0
// A fold that begins from a base: what it has then, and which bases are none.
#include "runtime/bases.h"

#include <doctest/doctest.h>

#include "base/limits.h"
#include "bench.h"
#include "codec/json.h"
#include "crypto/digest.h"
#include "store/memory_object_store.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

// Several runtimes begin from the same objects.
class SharedObjects final : public ObjectStore {
 public:
  explicit SharedObjects(ObjectStore& objects) : objects_(objects) {}
  Status put(const std::string& name, BytesView content) override {
    return objects_.put(name, content);
  }
  Result<Bytes> get(const std::string& name) const override { return objects_.get(name); }
  Status remove(const std::string& name) override { return objects_.remove(name); }

 private:
  ObjectStore& objects_;
};

struct Bases : Bench {
  Bases() {
    options.objects = [this]() -> Result<std::unique_ptr<ObjectStore>> {
      if (away) return *away;
      return std::unique_ptr<ObjectStore>(std::make_unique<SharedObjects>(objects));
    };
    REQUIRE(start().ok());
    settle();
  }
  void create(int count) {
    for (int i = 0; i < count; ++i) {
      Ended ended;
      runtime->propose(kEvents, create_organization(OrgId::fresh(clock, random)), ended.done());
      settle();
      REQUIRE(ended.outcome.applied());
    }
  }
  TakenBase take() {
    auto taken = take_base(store, kEvents, objects);
    REQUIRE(taken.ok());
    return std::move(taken).value();
  }
  // As an operator does, and drops what is below.
  void record(const TakenBase& base, std::optional<Position> trimmed = {}) {
    Event told =
        event(LogBaseTaken{"events", 0, base.manifest.next, base.manifest.digest, {base.sha256}});
    told.actor = an_operator();
    told.org = OrgId{};
    append(kPlatform, told);
    settle();
    REQUIRE(log.trim(kEvents, trimmed.value_or(Position{base.manifest.next})).ok());
  }
  // Another process, with an empty store.
  Status start_anew() {
    stop();
    store.crash();  // nothing of it was ever synced
    options.role = false;
    return start();
  }
  std::string object_of(BytesView sha256) const { return "base_" + hex(sha256); }

  MemoryObjectStore objects;
  std::optional<Error> away;
};

void check_same(const PartitionDigests& found, const PartitionDigests& expected) {
  CHECK(found.next == expected.next);
  CHECK(found.fold == expected.fold);
  CHECK(found.core == expected.core);
  CHECK(found.projections == expected.projections);
}

}  // namespace

TEST_CASE("a fold of a trimmed log begins from the base, and ends as the one that read it all") {
  Bases bench;
  bench.create(20);
  const TakenBase base = bench.take();
  CHECK(base.manifest.next == bench.status().next.value);
  bench.record(base);
  bench.create(5);
  bench.pass(minutes(4));  // judged ids are forgotten, those of the base too
  bench.create(1);
  const PartitionDigests before = bench.digests();
  const std::int64_t void_records = bench.status().void_records;
  REQUIRE(bench.start_anew().ok());
  bench.settle();
  check_same(bench.digests(), before);
  CHECK(bench.status().void_records == void_records);
  bench.create(1);
  CHECK(bench.tally("tsandtrail.organization.created") == "27");
}

TEST_CASE("a store that is behind a trimmed log gives way to the base") {
  Bases bench;
  bench.create(3);
  REQUIRE(bench.store.write({}, KvStore::Sync::yes).ok());
  bench.create(20);
  bench.record(bench.take());
  const PartitionDigests before = bench.digests();
  bench.stop();
  bench.store.crash();
  bench.options.role = false;
  REQUIRE(bench.start().ok());
  bench.settle();
  check_same(bench.digests(), before);
}

TEST_CASE("the newest base is taken, and an older one where that cannot be") {
  Bases bench;
  bench.create(5);
  const TakenBase first = bench.take();
  bench.create(5);
  const TakenBase second = bench.take();
  bench.record(first);
  bench.record(second, Position{first.manifest.next});
  const PartitionDigests before = bench.digests();
  bench.observer.seen.clear();
  SUBCASE("the newest") {
    REQUIRE(bench.start_anew().ok());
    bench.settle();
    CHECK(bench.observer.seen[0] == "loaded " + std::to_string(second.manifest.next));
  }
  SUBCASE("its manifest is gone") {
    REQUIRE(bench.objects.remove(bench.object_of(second.sha256)).ok());
    REQUIRE(bench.start_anew().ok());
    bench.settle();
    CHECK(bench.observer.seen[0] == "loaded " + std::to_string(first.manifest.next));
  }
  bench.settle();
  check_same(bench.digests(), before);
}

TEST_CASE("where platform was trimmed too, its own base tells of the others") {
  Bases bench;
  bench.create(5);
  bench.record(bench.take());
  auto platform = take_base(bench.store, kPlatform, bench.objects);
  REQUIRE(platform.ok());
  Event told = bench.event(LogBaseTaken{
      "platform", 0, platform->manifest.next, platform->manifest.digest, {platform->sha256}});
  told.actor = an_operator();
  bench.append(kPlatform, told);
  bench.settle();
  REQUIRE(bench.log.trim(kPlatform, {platform->manifest.next}).ok());
  bench.create(2);
  const PartitionDigests before = bench.digests();
  const PartitionDigests platform_before = bench.digests(kPlatform);
  REQUIRE(bench.start_anew().ok());
  bench.settle();
  check_same(bench.digests(), before);
  check_same(bench.digests(kPlatform), platform_before);
}

TEST_CASE("what is no base of this partition is refused, with what to do") {
  struct Row {
    const char* what;
    std::function<void(Bases&, TakenBase&)> change;
    ErrorCode code;
    const char* says;
  };
  const auto rewritten = [](std::function<void(BaseManifest&)> change) {
    return [change](Bases& bench, TakenBase& base) {
      change(base.manifest);
      const Bytes document = json::print(to_json(base.manifest));
      base.sha256 = sha256(document);
      REQUIRE(bench.objects.put(bench.object_of(base.sha256), document).ok());
    };
  };
  const Row rows[] = {
      {"a part is gone",
       [](Bases& bench, TakenBase& base) {
         const auto name = bench.object_of(base.manifest.parts[0].sha256.bytes);
         REQUIRE(bench.objects.remove(name).ok());
       },
       ErrorCode::not_found, "base_"},
      {"a part is another",
       [](Bases& bench, TakenBase& base) {
         const auto name = bench.object_of(base.manifest.parts[0].sha256.bytes);
         auto bytes = bench.objects.get(name).value();
         bytes[bytes.size() / 2] ^= 1;
         REQUIRE(bench.objects.remove(name).ok());
         REQUIRE(bench.objects.put(name, bytes).ok());
       },
       ErrorCode::corrupt, "holds other bytes"},
      {"another version", rewritten([](BaseManifest& m) { m.fold_version = kFoldVersion + 1; }),
       ErrorCode::not_found, "folds in another way"},
      {"another log", rewritten([](BaseManifest& m) { m.log_identity = "another"; }),
       ErrorCode::not_found, "another log"},
      {"another partition", rewritten([](BaseManifest& m) { m.partition = 1; }),
       ErrorCode::not_found, "not the base it is said to be"},
      {"no such projection", rewritten([](BaseManifest& m) { m.projections.clear(); }),
       ErrorCode::not_found, "lacks projections"},
      {"fewer rows than said", rewritten([](BaseManifest& m) { m.parts[0].rows += 1; }),
       ErrorCode::corrupt, "number of rows"},
      {"the objects are away",
       [](Bases& bench, TakenBase&) {
         bench.away = Error{ErrorCode::unavailable, "away", ""};
       },
       ErrorCode::unavailable, "away"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Bases bench;
    bench.create(3);
    TakenBase base = bench.take();
    const std::int64_t next = base.manifest.next;
    row.change(bench, base);
    base.manifest.next = next;
    bench.record(base);
    const PartitionDigests before = bench.digests();
    const Status status = bench.start_anew();
    REQUIRE(!status.ok());
    CHECK(status.error().code == row.code);
    CHECK(status.error().message.find(row.says) != std::string::npos);
    // Nothing is left that would be taken for a fold.
    CHECK(!stored_fold(bench.store, kEvents).value());
    if (row.code != ErrorCode::unavailable) continue;
    bench.away.reset();
    REQUIRE(bench.start().ok());
    bench.settle();
    check_same(bench.digests(), before);
  }
}

TEST_CASE("without bases a trimmed log is refused") {
  Bases bench;
  bench.create(3);
  REQUIRE(bench.log.trim(kEvents, {2}).ok());
  const Status status = bench.start_anew();
  REQUIRE(!status.ok());
  CHECK(status.error().code == ErrorCode::not_found);
  CHECK(status.error().message.find("none was taken") != std::string::npos);
}

TEST_CASE("a base of many rows stands in several parts, each checked by its name") {
  Bases bench;
  WriteBatch batch;
  constexpr int kRows = 40;
  const Bytes prefix = Bytes("events") + '\0' + Bytes(4, '\0') + "Ptally" + '\0';
  for (int i = 0; i < kRows; ++i) {
    batch.put(prefix + "big" + std::to_string(i), Bytes(limits::kBasePartBytesMax / 8, 'x'));
  }
  REQUIRE(bench.store.write(batch, KvStore::Sync::no).ok());
  const TakenBase base = bench.take();
  CHECK(base.manifest.parts.size() >= 5);
  for (const BasePart& part : base.manifest.parts) {
    CHECK(part.bytes <= static_cast<std::int64_t>(limits::kBasePartBytesMax));
  }
  const auto read = read_base(bench.objects, base.sha256);
  REQUIRE(read.ok());
  CHECK(to_json(*read) == to_json(base.manifest));
  CHECK(check_base(bench.objects, *read).ok());
  bench.record(base);
  const PartitionDigests before = bench.digests();
  REQUIRE(bench.start_anew().ok());
  check_same(bench.digests(), before);
  REQUIRE(bench.objects.remove(bench.object_of(base.manifest.parts[2].sha256.bytes)).ok());
  CHECK(!check_base(bench.objects, *read).ok());
}

TEST_CASE("a full object store fails the base, and nothing refers to it") {
  Bases bench;
  bench.create(3);
  bench.objects.set_capacity_bytes(100);
  const auto taken = take_base(bench.store, kEvents, bench.objects);
  REQUIRE(!taken.ok());
  CHECK(taken.error().code == ErrorCode::disk_full);
  CHECK(take_base(MemoryKvStore(), kEvents, bench.objects).error().code == ErrorCode::not_found);
}
