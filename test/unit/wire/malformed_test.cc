// SPDX-License-Identifier: Apache-2.0
// Anything may stand in a topic: it is void, and neither decoding nor the fold nor its store minds.
#include <doctest/doctest.h>

#include <map>

#include "base/random.h"
#include "codec/json.h"
#include "domain/audit.h"
#include "domain/core.h"
#include "filled.h"
#include "wire/event_codec.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

Record base() {
  auto record = encode_event(filled_event<ExecutionRequested>());
  REQUIRE(record.ok());
  return std::move(record).value();
}

// Replaces a header, or adds it; empty `value` removes it.
Record with_header(Record record, const std::string& name, const Bytes& value) {
  std::erase_if(record.headers, [&name](const auto& header) { return header.first == name; });
  if (!value.empty()) record.headers.emplace_back(name, value);
  return record;
}

std::optional<VoidReason> void_reason(const Record& record) {
  const auto event = decode_event(record);
  if (const auto* reason = std::get_if<VoidReason>(&event)) return *reason;
  return std::nullopt;
}

// A core on each topic that folds whatever comes, stores its rows and loads them again.
class Folds {
 public:
  void fold(const Record& record) {
    const auto decoded = decode_event(record);
    for (Core& core : cores_) {
      FoldInput input;
      input.position = position_++;
      input.stamp = {1'700'000'000'123};
      input.event = std::get_if<Event>(&decoded);
      if (input.event == nullptr) input.unreadable = std::get<VoidReason>(decoded);
      input.value = record.value;
      const Judgement judgement = core.fold(input);
      if (input.event == nullptr) CHECK(!judgement.applied());
      if (input.event != nullptr) audit_entry_of(*input.event, judgement, {"events", 0, 0, {}});
    }
  }
  void check_loadable() {
    for (Core& core : cores_) {
      std::map<Bytes, Bytes> rows;
      core.drain([&rows](Bytes key, Bytes value) { rows[std::move(key)] = std::move(value); },
                 [&rows](const Bytes& key) { rows.erase(key); });
      Core again(core.kind());
      for (const auto& [key, value] : rows) CHECK(again.load(key, value).ok());
      again.loaded();
    }
  }

 private:
  std::vector<Core> cores_ = {Core(TopicKind::events), Core(TopicKind::platform),
                              Core(TopicKind::audit)};
  std::int64_t position_ = 0;
};

std::vector<Record> one_of_each_type() {
  std::vector<Record> out;
  for_each_event_type([&out]<typename T>() {
    auto record = encode_event(filled_event<T>());
    REQUIRE(record.ok());
    out.push_back(std::move(record).value());
  });
  return out;
}

}  // namespace

TEST_CASE("records that are no event of ours are void, with the reason") {
  struct Case {
    const char* what;
    Record record;
    VoidReason reason;
  };
  Record wrong_key = base();
  Record binary_key = base();
  Record no_value = base();
  Record array = base();
  Record scalar = base();
  Record trailing = base();
  Record deep = base();
  Record empty;
  wrong_key.key = "exe_00000000000000000000000000";
  binary_key.key = Bytes("\x00\xff", 2);
  no_value.value.clear();
  array.value = "[]";
  scalar.value = "7";
  trailing.value += "{}";
  deep.value = std::string(100'000, '[');
  using enum VoidReason;
  const Case cases[] = {
      {"an empty record", empty, malformed},
      {"no id", with_header(base(), "ce_id", ""), malformed},
      {"a foreign id", with_header(base(), "ce_id", "A234-1234-1234"), malformed},
      {"an id of another kind", with_header(base(), "ce_id", "exe_00000000000000000000000000"),
       malformed},
      {"no time", with_header(base(), "ce_time", ""), malformed},
      {"a local time", with_header(base(), "ce_time", "2023-11-14T22:13:20+02:00"), malformed},
      {"no time at all", with_header(base(), "ce_time", "yesterday"), malformed},
      {"no version of CloudEvents", with_header(base(), "ce_specversion", ""), malformed},
      {"another version of CloudEvents", with_header(base(), "ce_specversion", "0.3"), malformed},
      {"no type", with_header(base(), "ce_type", ""), unknown_type},
      {"a foreign type", with_header(base(), "ce_type", "com.github.pull.create"), unknown_type},
      {"a schema version that is no number", with_header(base(), "ce_schemaversion", "1.0"),
       malformed},
      {"a huge schema version", with_header(base(), "ce_schemaversion", "99999999999999999999"),
       malformed},
      {"a subject that is no text", with_header(base(), "ce_subject", "\xff\xfe"), malformed},
      {"a source that is no text", with_header(base(), "ce_source", "\xc3"), malformed},
      {"a correlation that is no text", with_header(base(), "ce_correlationid", "\xed\xa0\x80"),
       malformed},
      {"the key of another kind", wrong_key, malformed},
      {"a binary key", binary_key, malformed},
      {"no value", no_value, malformed},
      {"an array", array, malformed},
      {"a number", scalar, malformed},
      {"two values", trailing, malformed},
      {"endless nesting", deep, malformed},
  };
  Folds folds;
  for (const Case& c : cases) {
    CAPTURE(c.what);
    CHECK(void_reason(c.record) == c.reason);
    folds.fold(c.record);
  }
  folds.check_loadable();
}

TEST_CASE("members of a wrong type or size make a record void, member by member") {
  const char* wrong[] = {"null",
                         "true",
                         "-1.5",
                         "1e308",
                         "9223372036854775808",
                         "\"\\u0000\"",
                         "{}",
                         "[[]]",
                         "-9223372036854775808"};
  Folds folds;
  for (const Record& record : one_of_each_type()) {
    const auto data = json::parse(record.value);
    REQUIRE(data.ok());
    for (const auto& member : data->get_object()) {
      for (const char* text : wrong) {
        json::object changed = data->get_object();
        changed[member.key()] = *json::parse(text);
        Record bad = record;
        bad.value = json::print(changed);
        folds.fold(bad);
      }
      json::object without = data->get_object();
      without.erase(member.key());
      Record lacking = record;
      lacking.value = json::print(without);
      folds.fold(lacking);
    }
  }
  folds.check_loadable();
}

TEST_CASE("numbers past every range are void, not rounded") {
  const Record record = base();
  const auto data = json::parse(record.value);
  REQUIRE(data.ok());
  for (const char* number : {"1e400", "18446744073709551616", "1.5", "-1e999", "0x10", "NaN"}) {
    CAPTURE(number);
    Record bad = record;
    const std::string was = "\"wall_ms\":";
    const auto at = bad.value.find(was) + was.size();
    bad.value.replace(at, bad.value.find_first_of(",}", at) - at, number);
    CHECK(void_reason(bad) == VoidReason::malformed);
  }
}

TEST_CASE("random damage to keys, headers and values never does more than make a record void") {
  SeededRandom random(11);
  const std::vector<Record> records = one_of_each_type();
  Folds folds;
  for (int i = 0; i < 4000; ++i) {
    CAPTURE(i);
    Record record = records[random.below(records.size())];
    for (std::uint64_t n = 1 + random.below(4); n > 0; --n) {
      Bytes* target = &record.value;
      if (random.below(4) == 0)
        target = &record.headers[random.below(record.headers.size())].second;
      if (random.below(20) == 0) target = &record.key;
      if (target->empty()) continue;
      const auto at = random.below(target->size());
      switch (random.below(4)) {
        case 0:
          (*target)[at] = random.bytes(1)[0];
          break;
        case 1:
          target->resize(at);
          break;
        case 2:
          target->insert(at, random.bytes(random.below(9)));
          break;
        default:
          target->erase(at, 1 + random.below(9));
      }
    }
    folds.fold(record);
  }
  folds.check_loadable();
}

TEST_CASE("random bytes are void") {
  SeededRandom random(12);
  for (int i = 0; i < 500; ++i) {
    Record record;
    record.key = random.bytes(random.below(40));
    for (std::uint64_t n = random.below(12); n > 0; --n) {
      record.headers.emplace_back(random.bytes(random.below(10)), random.bytes(random.below(40)));
    }
    record.value = random.bytes(random.below(300));
    CHECK(void_reason(record) == VoidReason::malformed);
  }
}
