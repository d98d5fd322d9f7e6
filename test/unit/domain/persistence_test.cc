// SPDX-License-Identifier: Apache-2.0
// Rows to a store and back: a core that was loaded continues as the one that was not.
#include <doctest/doctest.h>

#include "history.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

using Changes = std::map<Bytes, std::optional<Bytes>>;  // absent: removed

Changes drained(Core& core) {
  Changes out;
  core.drain([&out](Bytes key, Bytes value) { out[std::move(key)] = std::move(value); },
             [&out](Bytes key) { out[std::move(key)] = std::nullopt; });
  return out;
}

void store(Rows& rows, const Changes& changes) {
  for (const auto& [key, value] : changes) {
    if (value) {
      rows[key] = *value;
    } else {
      rows.erase(key);
    }
  }
}

Core loaded_from(const Rows& rows, TopicKind kind) {
  Core core(kind);
  for (const auto& [key, value] : rows) REQUIRE(core.load(key, value).ok());
  core.loaded();
  return core;
}

constexpr int kSteps = 120;

}  // namespace

TEST_CASE("persistence: a core loaded from its rows judges and changes as the one in memory") {
  for (std::uint64_t seed = 1001; seed <= 1040; ++seed) {
    CAPTURE(seed);
    History history(seed);
    SeededRandom random(seed);
    Core& core = history.harness().core;
    Rows rows;
    std::optional<Core> loaded;
    for (int step = 0; step < kSteps; ++step) {
      const Judgement judgement = history.step();
      if (loaded) {
        const Judgement same = fold_record(*loaded, history.records().back());
        const Changes changes = drained(core);
        if (same.reason != judgement.reason || same.existing != judgement.existing ||
            same.stop != judgement.stop || changes != drained(*loaded)) {
          FAIL("seed " << seed << ", step " << step << ": "
                       << std::string(type_of(history.records().back().event.body)) << ": "
                       << std::string(enum_text(judgement.reason)) << " and "
                       << std::string(enum_text(same.reason)));
        }
        store(rows, changes);
      } else if (random.below(10) == 0) {
        store(rows, drained(core));
      }
      if (random.below(40) != 0) continue;
      store(rows, drained(core));
      loaded = loaded_from(rows, TopicKind::events);
    }
  }
}

TEST_CASE("persistence: in whatever batches the rows are stored, they end the same") {
  for (std::uint64_t seed = 2001; seed <= 2020; ++seed) {
    CAPTURE(seed);
    History history(seed);
    for (int step = 0; step < kSteps; ++step) history.step();
    Rows at_once;
    store(at_once, drained(history.harness().core));
    for (const std::uint64_t batch : {1u, 7u, 50u}) {
      SeededRandom random(seed * batch);
      Core core = history.start();
      Rows rows;
      for (const Record& record : history.records()) {
        fold_record(core, record);
        if (random.below(batch) == 0) store(rows, drained(core));
      }
      store(rows, drained(core));
      CHECK(rows == at_once);
    }
  }
}

TEST_CASE("persistence: an id that is forgotten and judged anew in one batch stays known") {
  Harness h = world();
  const Event event = h.by_key(h.member, h.request());
  h.apply(event);
  Rows rows;
  h.drain_into(rows);
  h.pass(minutes(3));
  CHECK(h.fold(event).reason == VoidReason::stale);
  h.drain_into(rows);
  Core loaded = loaded_from(rows, TopicKind::events);
  FoldInput input;
  input.position = h.position;
  input.stamp = h.now;
  input.event = &event;
  CHECK(loaded.fold(input).reason == VoidReason::repeated);
}

TEST_CASE("persistence: the audit log's tree and chains come back") {
  Harness h(TopicKind::audit);
  Rows rows;
  for (int i = 0; i < 25; ++i) {
    AuditRecorded body;
    body.source = {"events", 0, i, i - 1};
    const Event event = h.event(body);
    const Bytes value = "entry " + std::to_string(i);
    CHECK(h.core.fold({h.position++, h.now, &event, VoidReason::none, value}).applied());
    h.drain_into(rows);
    const Core loaded = loaded_from(rows, TopicKind::audit);
    CHECK(loaded.state().audit_tree == h.state().audit_tree);
    CHECK(loaded.state().audit_chains.find("events/0")->last == i);
  }
}

TEST_CASE("persistence: rows that drain() did not write are refused, not folded on") {
  Harness audit(TopicKind::audit);
  Rows rows;
  audit.drain_into(rows);
  const Bytes meta = rows.at("m");
  const Bytes cut_tree = meta.substr(0, meta.find("\"audit_tree\"")) + "\"audit_tree\":\"AAAA\"}";
  const Bytes id(16, 'x');
  const std::pair<Bytes, Bytes> broken[] = {
      {"z", "{}"},                   // no such table
      {"m", ""},                     // no JSON
      {"m", "{}"},                   // no such row
      {"m", cut_tree},               // no such tree
      {"j" + id, "1234567"},         // seven bytes of time
      {"j" + id + "x", "12345678"},  // seventeen bytes of id
      {"x" + id, "{\"org\":1}"},
      {"o" + id, "[]"},
      {"w", "{\"epoch\":\"1\"}"},
      {"c12345678", "\xff"},
  };
  for (const auto& [key, value] : broken) {
    CAPTURE(key);
    CHECK_FALSE(Core(TopicKind::audit).load(key, value).ok());
  }
  Harness h = world();
  Rows fine;
  h.drain_into(fine);
  for (const auto& [key, value] : fine) {
    CHECK(Core(TopicKind::events).load(key, value).ok());
    if (std::string_view("okx").find(key.front()) == std::string_view::npos) continue;
    CHECK_FALSE(Core(TopicKind::events).load(key.substr(0, 16), value).ok());
    CHECK_FALSE(Core(TopicKind::events).load(key + "x", value).ok());
  }
}
