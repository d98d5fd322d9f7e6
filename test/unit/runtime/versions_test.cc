// SPDX-License-Identifier: Apache-2.0
// Old and new code on one log. The second version of two types is made up here: a grant says of
// what kind it is, and a refused attempt from which country it came.
#include <doctest/doctest.h>

#include "bench.h"
#include "wire/event_codec.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

const SchemaVersions& new_versions() {
  static const SchemaVersions versions({
      {BillingGranted::kType, 1,
       [](json::object& data) {
         data["grant_kind"] = "unknown";
         return true;
       }},
      {AccessDenied::kType, 1,
       [](json::object& data) {
         data["country"] = "nowhere";
         return true;
       }},
  });
  return versions;
}

// What only new code knows: rows "kind" + its value -> how many grants of it.
class KindProjection final : public Projection {
 public:
  std::string_view name() const override { return "kinds"; }
  bool folds(TopicKind topic) const override { return topic == TopicKind::events; }
  void apply(const Folded& folded, const CoreState&, Rows& rows) const override {
    if (folded.applied_as<BillingGranted>() == nullptr) return;
    auto data = json::parse(folded.record.value);
    ST_ASSERT(data.ok());
    json::object& members = data->get_object();
    ST_ASSERT(new_versions().upcast(BillingGranted::kType, folded.event->schema_version, members));
    const Bytes key = "kind " + Bytes(json::text_at(members, "grant_kind"));
    const auto before = rows.get(key);
    rows.put(key, std::to_string(before ? std::stoi(*before) + 1 : 1));
  }
};

// One installed version of the program, with a store that outlives it.
struct Installed {
  explicit Installed(Bench& on) : bench(on), connection(on.log.connect()) {}
  ~Installed() { stop(); }

  void start(bool is_new) {
    stop();
    RuntimeOptions options;
    options.instance = is_new ? "new" : "old";
    options.events_partitions = 1;
    options.threads = false;
    if (is_new) options.versions = &new_versions();
    runtime = std::make_unique<Runtime>(options, *connection, store, bench.clock, bench.random);
    runtime->add(std::make_unique<TallyProjection>());
    if (is_new) runtime->add(std::make_unique<KindProjection>());
    runtime->add(std::make_unique<ScriptRole>(script));
    REQUIRE(runtime->start().ok());
  }
  void stop() {
    if (runtime) runtime->stop();
    runtime.reset();
  }
  bool step() {
    bool worked = false;
    for (std::size_t i = 0; runtime && i < runtime->partitions().size(); ++i) {
      worked |= runtime->step(i);
    }
    return worked;
  }
  PartitionDigests digests() { return *runtime->digests(kEvents); }
  std::string row(const Bytes& key) {
    std::string out = "-";
    REQUIRE(runtime->query(kEvents, [&](const PartitionView& view) {
      out = view.rows("kinds").get(key).value_or("-");
    }));
    step();
    return out;
  }
  bool live() const { return script.live.contains(kEvents); }

  Bench& bench;
  std::unique_ptr<MemoryLog> connection;
  MemoryKvStore store;
  Script script;
  std::unique_ptr<Runtime> runtime;
};

void settle(Bench& bench, const std::vector<Installed*>& all) {
  for (int idle = 0; idle < 3;) {
    bench.log.run();
    bool worked = false;
    for (Installed* each : all) worked |= each->step();
    idle = worked ? 0 : idle + 1;
  }
}

Event operator_event(Bench& bench, const OrgId& org, EventBody body) {
  Event event = bench.event(std::move(body));
  event.org = org;
  event.subject = org.text();
  event.actor = an_operator();
  return event;
}

Record encoded(const Event& event, const SchemaVersions& versions = shipped_versions()) {
  auto record = encode_event(event, versions);
  REQUIRE(record.ok());
  return std::move(record).value();
}

void append(Bench& bench, Record record) {
  bench.log.append(kEvents, std::move(record), {});
  bench.log.run();
}

// As the new code's other parts would write it.
Record new_grant(Bench& bench, const OrgId& org) {
  Record record =
      encoded(operator_event(bench, org, BillingGranted{org, {5}, "x"}), new_versions());
  REQUIRE(record.header("ce_schemaversion") == "2");
  auto data = json::parse(record.value);
  data->get_object()["grant_kind"] = "paid";
  record.value = json::print(*data);
  return record;
}

}  // namespace

TEST_CASE("an upgrade, back and forth, keeps the core and makes the same rows as a rebuild") {
  Bench bench;
  Installed installed(bench);
  const OrgId org = OrgId::fresh(bench.clock, bench.random);
  REQUIRE(bench.log.ensure_topic({"events", 1}).ok());
  append(bench, encoded(operator_event(
                    bench, org, std::get<OrganizationCreated>(create_organization(org).body))));
  for (int round = 0; round < 4; ++round) {
    CAPTURE(round);
    const bool is_new = round % 2 == 1;
    installed.start(is_new);
    settle(bench, {&installed});
    // Old code's, and new code's, which old code reads as well.
    append(bench, encoded(operator_event(bench, org, BillingGranted{org, {5}, "x"})));
    append(bench, new_grant(bench, org));
    settle(bench, {&installed});
    CHECK(installed.runtime->not_ready_because().empty());
    CHECK(installed.live());
    Installed rebuilt(bench);
    rebuilt.start(is_new);
    settle(bench, {&installed, &rebuilt});
    CHECK(rebuilt.digests().next == installed.digests().next);
    CHECK(rebuilt.digests().core == installed.digests().core);
    CHECK(rebuilt.digests().projections == installed.digests().projections);
    if (is_new) CHECK(installed.row("kind paid") == std::to_string(round + 1));
    if (is_new) CHECK(installed.row("kind unknown") == std::to_string(round + 1));
    // The other version holds the same truth.
    rebuilt.start(!is_new);
    settle(bench, {&installed, &rebuilt});
    CHECK(rebuilt.digests().fold == installed.digests().fold);
    CHECK(rebuilt.digests().core == installed.digests().core);
  }
  CHECK(bench.clock.now().count > 0);
}

TEST_CASE("old and new processes take over from each other, and neither stops a partition") {
  Bench bench;
  Installed old_one(bench);
  Installed new_one(bench);
  old_one.start(false);
  new_one.start(true);
  const OrgId org = OrgId::fresh(bench.clock, bench.random);
  append(bench, encoded(operator_event(
                    bench, org, std::get<OrganizationCreated>(create_organization(org).body))));
  for (int round = 0; round < 6; ++round) {
    CAPTURE(round);
    append(bench, new_grant(bench, org));
    settle(bench, {&old_one, &new_one});
    for (Installed* each : {&old_one, &new_one}) {
      CHECK(each->runtime->not_ready_because().empty());
    }
    CHECK(old_one.live() != new_one.live());
    CHECK(old_one.digests().core == new_one.digests().core);
    // The claim that follows names the other's digest.
    bench.log.revoke("sandtrail-billing", kEvents);
    bench.clock.advance(seconds(3));
  }
}

TEST_CASE("what cannot be read is void or stops its partition, the same at every start") {
  struct Case {
    const char* what;
    std::function<void(Bench&, Record&)> change;
    const char* verdict;  // in the tally; empty: the partition stops before it
  };
  const Case cases[] = {
      {"no event at all", [](Bench&, Record& record) { record = {}; }, "malformed"},
      {"a value that is no JSON", [](Bench&, Record& record) { record.value = "\xff{"; },
       "malformed"},
      {"a member of another kind",
       [](Bench&, Record& record) { record.value = R"({"count":"7"})"; }, "malformed"},
      {"an unknown type",
       [](Bench&, Record& record) {
         for (auto& [name, value] : record.headers) {
           if (name == "ce_type") value = "sandtrail.execution.promoted";
         }
       },
       "unknown_type"},
      {"a much newer version of a type",
       [](Bench&, Record& record) {
         for (auto& [name, value] : record.headers) {
           if (name == "ce_schemaversion") value = "9";
         }
         record.value.insert(1, R"("surprise":{"of":["a","kind"]},)");
       },
       "applied"},
      {"rules that are not known",
       [](Bench& bench, Record& record) {
         record = encoded(operator_event(bench, {}, RulesActivated{kRulesKnown + 1}));
       },
       ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    Bench bench;
    bench.options.role = false;
    REQUIRE(bench.start().ok());
    bench.settle();
    const OrgId org = OrgId::fresh(bench.clock, bench.random);
    append(bench, encoded(operator_event(
                      bench, org, std::get<OrganizationCreated>(create_organization(org).body))));
    Record record = encoded(operator_event(bench, org, BillingGranted{org, {5}, "x"}));
    c.change(bench, record);
    append(bench, std::move(record));
    bench.settle();
    for (int start = 0; start < 3; ++start) {
      CAPTURE(start);
      REQUIRE(bench.start().ok());
      bench.settle();
      const bool stops = std::string(c.verdict).empty();
      CHECK(bench.status().stopped.empty() != stops);
      CHECK(bench.status().next.value == (stops ? 1 : 2));
      CHECK(bench.status(kPlatform).stopped.empty());
      if (!stops) CHECK(bench.tally(Bytes("p\0\0\0\0\0\0\0\1", 9)) == c.verdict);
    }
  }
}
