// SPDX-License-Identifier: Apache-2.0
#include "audit_check.h"

#include <doctest/doctest.h>

#include "harness.h"
#include "story.h"
#include "wire/event_codec.h"

namespace sandtrail {
namespace {

using cli::AuditReport;
using cli::check_audit;
using test::Harness;
using test::has;
using test::Story;

const TopicPartition kAudit{"audit", 0};

// Four audited events over two partitions, one of them refused.
std::unique_ptr<Story> told() {
  auto story = std::make_unique<Story>();
  story->organization("one");
  story->organization("two");
  story->refused();
  story->organization("three");
  story->audit();
  return story;
}

AuditReport check(EventLog& log, const Story& story) {
  auto report = check_audit(log, story.verifier());
  REQUIRE_MESSAGE(report.ok(), report.error().text());
  return std::move(*report);
}

Record with_value(Record record, const std::string& from, const std::string& to) {
  const auto at = record.value.find(from);
  REQUIRE(at != std::string::npos);
  record.value.replace(at, from.size(), to);
  return record;
}

bool is_type(const StoredRecord& stored, const char* type) {
  return stored.record.header("ce_type") == type;
}

TEST_CASE("an honest audit log holds") {
  const auto story = told();
  const auto log = story->connect();
  const AuditReport report = check(*log, *story);
  CHECK_FALSE(report.difference.has_value());
  CHECK(report.entries == 4);
  CHECK(report.pending == 0);
  CHECK(report.checkpoints >= 1);
  CHECK(report.checkpoint_size == 4);
  CHECK(report.root.size() == 32);
}

TEST_CASE("an empty log holds") {
  Story story;
  const auto log = story.connect();
  const AuditReport report = check(*log, story);
  CHECK_FALSE(report.difference.has_value());
  CHECK(report.entries == 0);
}

TEST_CASE("events whose entries are still on their way are pending, not a difference") {
  const auto story = told();
  story->organization("four");
  story->organization("five");
  const auto log = story->altered([](const TopicPartition& where, const StoredRecord& stored) {
    const bool late = has(stored.record.value, "req_4") || has(stored.record.value, "req_5");
    return where == kAudit && late ? std::nullopt : std::optional(stored.record);
  });
  const AuditReport report = check(*log, *story);
  CHECK_FALSE(report.difference.has_value());
  CHECK(report.entries == 4);
  CHECK(report.checkpoint_size == 4);
  CHECK(report.pending == 2);
}

TEST_CASE("a copy of the log without a change holds") {
  const auto story = told();
  const auto log = story->altered(
      [](const auto&, const StoredRecord& stored) { return std::optional(stored.record); });
  const AuditReport report = check(*log, *story);
  CHECK_FALSE(report.difference.has_value());
  CHECK(report.entries == 4);
}

TEST_CASE("a changed source event is found by its entry") {
  const auto story = told();
  const auto log = story->altered([](const auto&, const StoredRecord& stored) {
    if (!has(stored.record.value, "\"name\":\"two\"") ||
        !is_type(stored, "sandtrail.organization.created")) {
      return std::optional(stored.record);
    }
    return std::optional(with_value(stored.record, "\"name\":\"two\"", "\"name\":\"TWO\""));
  });
  const AuditReport report = check(*log, *story);
  REQUIRE(report.difference.has_value());
  CHECK(report.difference->field == "/changes/name");
  CHECK(report.difference->place.starts_with("audit/0/"));
}

TEST_CASE("a changed entry is found, whatever was changed in it") {
  struct Row {
    const char* from;
    const char* to;
    const char* field;
  };
  for (const Row& row : {
           Row{"\"name\":\"two\"", "\"name\":\"2\"", "/changes/name"},
           Row{"organization.create", "organization.delete", "/action"},
           Row{"\"success\"", "\"failure\"", "/outcome"},
           Row{"\"name\":\"root\"", "\"name\":\"toor\"", "/who/name"},
           Row{"\"request\":\"req_2\"", "\"request\":\"req_9\"", "/request"},
           Row{"{", "{\"extra\":1,", "/extra"},
           Row{"{", "{ ", ""},
       }) {
    CAPTURE(row.to);
    const auto story = told();
    bool changed = false;
    const auto log = story->altered([&](const TopicPartition& where, const StoredRecord& stored) {
      if (changed || where != kAudit || !has(stored.record.value, "req_2")) {
        return std::optional(stored.record);
      }
      changed = true;
      return std::optional(with_value(stored.record, row.from, row.to));
    });
    REQUIRE(changed);
    const AuditReport report = check(*log, *story);
    REQUIRE(report.difference.has_value());
    CHECK(report.difference->field == row.field);
    CHECK(report.entries < 4);
  }
}

TEST_CASE("an event left out of the audit log is found, though the chain was mended") {
  const auto story = told();
  // A forger leaves an entry out and names another predecessor in the one behind it.
  std::map<std::string, std::int64_t> last;
  std::map<std::string, int> seen;
  const auto log = story->altered([&](const TopicPartition& where,
                                      const StoredRecord& stored) -> std::optional<Record> {
    if (where != kAudit || !is_type(stored, "sandtrail.audit.recorded")) {
      return is_type(stored, "sandtrail.audit.checkpoint_signed") ? std::nullopt
                                                                  : std::optional(stored.record);
    }
    auto event = std::get<Event>(decode_event(stored.record));
    auto& entry = std::get<AuditRecorded>(event.body);
    const std::string chain = entry.source.topic + std::to_string(entry.source.partition);
    if (!last.contains(chain)) last[chain] = -1;
    if (++seen[chain] == 1 && seen.size() == 1) return std::nullopt;
    entry.source.previous = last[chain];
    last[chain] = entry.source.position;
    return *encode_event(event);
  });
  const AuditReport report = check(*log, *story);
  REQUIRE(report.difference.has_value());
  CHECK(report.difference->place.starts_with("events/"));
  CHECK(has(report.difference->detail, "left out"));
}

TEST_CASE("an entry about an event that is not there is found") {
  const auto story = told();
  const auto log = story->altered([](const TopicPartition& where, const StoredRecord& stored) {
    if (where.topic == "events" && has(stored.record.value, "\"name\":\"three\"")) {
      return std::optional<Record>();
    }
    return std::optional(stored.record);
  });
  const AuditReport report = check(*log, *story);
  REQUIRE(report.difference.has_value());
  CHECK(report.difference->field == "/source/position");
}

TEST_CASE("an entry about a record whose loss was accepted is taken, and counted apart") {
  for (const bool accepted : {true, false}) {
    CAPTURE(accepted);
    const auto story = told();
    // The record of "three" is gone, and its place is taken.
    std::optional<LostRange> lost;
    const auto log = story->altered([&](const TopicPartition& where, const StoredRecord& stored) {
      Event event;
      event.id =
          EventId::derived(where.text() + std::to_string(stored.position.value) + Bytes(16, '#'));
      event.time = stored.stamp;
      if (is_type(stored, "sandtrail.organization.created") &&
          has(stored.record.value, "\"name\":\"three\"")) {
        lost = LostRange{where.topic, where.partition, stored.position.value + 1,
                         stored.position.value};
        event.body = LogRecordLost{};
        return std::optional(*encode_event(event));
      }
      if (accepted && lost && where.topic == "platform" && stored.position.value == 0) {
        event.actor = Actor{};
        event.actor->kind = ActorKind::op;
        event.body = LogLossAccepted{"old", "new", {*lost}, "disk"};
        return std::optional(*encode_event(event));
      }
      return std::optional(stored.record);
    });
    REQUIRE(lost.has_value());
    const AuditReport report = check(*log, *story);
    CHECK(report.difference.has_value() != accepted);
    if (!accepted) continue;
    CHECK(report.entries == 4);
    CHECK(report.lost_sources == 1);
    CHECK(report.checkpoint_size == 4);
    CHECK(report.pending == 1);  // the acceptance itself
  }
}

TEST_CASE("a checkpoint with another key, root, origin or size is found") {
  SeededRandom random(99);
  const auto stranger = NoteSigner::create("test.local/audit", SecretBytes::random(32, random));
  REQUIRE(stranger.ok());
  enum class Forgery { key, root, origin, size, garbage };
  for (const Forgery forgery :
       {Forgery::key, Forgery::root, Forgery::origin, Forgery::size, Forgery::garbage}) {
    CAPTURE(static_cast<int>(forgery));
    const auto story = told();
    const auto log = story->altered([&](const TopicPartition&, const StoredRecord& stored) {
      if (!is_type(stored, "sandtrail.audit.checkpoint_signed")) {
        return std::optional(stored.record);
      }
      auto event = std::get<Event>(decode_event(stored.record));
      auto& body = std::get<AuditCheckpointSigned>(event.body);
      auto checkpoint = *parse_checkpoint(open_note(body.note, {story->verifier()})->text);
      if (forgery == Forgery::root) checkpoint.root = std::string(32, 'x');
      if (forgery == Forgery::origin) checkpoint.origin = "other.local/audit";
      if (forgery == Forgery::size) checkpoint.size -= 1;
      const NoteSigner& signer = forgery == Forgery::key ? *stranger : story->signer();
      body.note = *sign_note(*checkpoint_text(checkpoint), {&signer});
      if (forgery == Forgery::garbage) body.note = "garbage";
      return std::optional(*encode_event(event));
    });
    const AuditReport report = check(*log, *story);
    REQUIRE(report.difference.has_value());
    CHECK(report.difference->place.starts_with("audit/0/"));
    CHECK(report.difference->field == (forgery == Forgery::size ? "/size" : "/note"));
  }
}

TEST_CASE("a trimmed log proves nothing and says so") {
  const auto story = told();
  auto log = story->altered(
      [](const auto&, const StoredRecord& stored) { return std::optional(stored.record); });
  log->trim_unasked({"events", 0}, {1});
  const auto report = check_audit(*log, story->verifier());
  REQUIRE_FALSE(report.ok());
  CHECK(report.error().code == ErrorCode::conflict);
}

TEST_CASE("the verb reports and ends with 0, 1 or 3") {
  const auto story = told();
  Harness h;
  h.open_log = [&]() -> Result<std::unique_ptr<EventLog>> { return story->connect(); };
  CHECK(h.run({"audit", "verify"}, true) == 3);
  CHECK(has(h.err, "audit.vkey"));

  h.file("audit.vkey", story->verifier().text() + "\n");
  CHECK(h.run({"audit", "verify"}, true) == 0);
  CHECK(has(h.out, "entries      4, each derived again\n"));
  CHECK(h.err == "");
  CHECK(h.run({"audit", "verify", "--json"}, true) == 0);
  CHECK(has(h.out, R"({"verified":true,"entries":4,"root":")"));

  SeededRandom random(99);
  const auto stranger = NoteSigner::create("test.local/audit", SecretBytes::random(32, random));
  const std::string other = h.file("other.vkey", stranger->verifier().text());
  CHECK(h.run({"audit", "verify", "--vkey", other}, true) == 1);
  CHECK(has(h.err, "different: audit/0/"));
  CHECK(has(h.err, "/note"));
}

}  // namespace
}  // namespace sandtrail
