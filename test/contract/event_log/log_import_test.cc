// SPDX-License-Identifier: Apache-2.0
// Filling a log with the records of another one: what every adapter of LogImport promises. The
// Kafka adapter is tried where SANDTRAIL_TEST_KAFKA names a broker.
#include "event_log/log_copy.h"
#include "event_log/memory_log.h"
#include "import_adapters.h"
#include "log_contract.h"

using namespace sandtrail;
using namespace sandtrail::contract;

namespace {

const std::vector<std::string> kTopics{"events", "platform", "audit"};

// A source with stamps of the past, headers in an order of their own, bytes that are no text.
class Source {
 public:
  explicit Source(int records, std::int32_t partitions = 2)
      : log_(std::make_unique<MemoryLog>(MemoryLogOptions{}, clock_)) {
    REQUIRE(log_->ensure_topic({"events", partitions}).ok());
    REQUIRE(log_->ensure_topic({"platform", 1}).ok());
    for (int i = 0; i < records; ++i) add(i);
  }

  void add(int number) {
    clock_.advance(Millis{17});
    Record record;
    record.key = number % 3 == 0 ? "" : "org-" + std::to_string(number % 3);
    record.headers = {{"z", std::to_string(number)}, {"a", Bytes("\x00\xff", 2)}, {"empty", ""}};
    record.value = number % 5 == 0 ? "" : Bytes(static_cast<std::size_t>(number % 700), 'v');
    log_->append({number % 7 == 0 ? "platform" : "events", number % 7 == 0 ? 0 : number % 2},
                 std::move(record),
                 [](const AppendOutcome& outcome) { REQUIRE(outcome.committed()); });
  }
  MemoryLog& log() { return *log_; }

 private:
  ManualClock clock_{UnixMs{1'600'000'000'000}};
  std::unique_ptr<MemoryLog> log_;
};

OpenReader readers(EventLog& log) {
  return
      [&log](const TopicPartition& where, Position from) { return log.open_reader(where, from); };
}

void check_same(EventLog& source, EventLog& copy) {
  const auto parts = parts_of(source, kTopics);
  REQUIRE(parts.ok());
  for (const CopyReport::Part& part : *parts) {
    const auto marks = copy.marks(part.where);
    REQUIRE(marks.ok());
    CHECK(marks->low == part.marks.low);
    CHECK(marks->high == part.marks.high);
  }
  const auto different = compare_records(readers(source), readers(copy), *parts, nullptr);
  if (!different.ok()) FAIL(different.error().text());
  CHECK(!different->has_value());
}

CopyReport must_copy(EventLog& from, LogImport& to) {
  auto report = copy_log(from, to, kTopics, nullptr);
  if (!report.ok()) FAIL(report.error().text());
  return std::move(*report);
}

std::unique_ptr<LogImport> must_import(ImportUnderTest& target) {
  auto import = target.import();
  if (!import.ok()) FAIL(import.error().text());
  return std::move(*import);
}

void finish(LogImport& import) {
  const Status finished = import.finish();
  if (!finished.ok()) FAIL(finished.error().text());
}

}  // namespace

TEST_CASE(
    "a copy has the positions, the stamps and the bytes of its source, and goes on as a log") {
  for (const auto& make : import_adapters()) {
    const auto target = make();
    Source source(300);
    {
      const auto import = must_import(*target);
      const CopyReport report = must_copy(source.log(), *import);
      CHECK(report.records == 300);
      CHECK(report.found == 0);
      finish(*import);
    }
    const auto log = target->open();
    REQUIRE(log.ok());
    for (const TopicSpec& spec : {TopicSpec{"events", 2}, TopicSpec{"platform", 1}}) {
      CHECK((*log)->ensure_topic(spec).ok());
    }
    check_same(source.log(), **log);
    const Marks before = *(*log)->marks({"events", 1});
    const AppendOutcome next = commit(**log, {"events", 1}, record_of("what comes later"));
    CHECK(next.position == before.high);
    // Stamped by the log again, not by the writer.
    CHECK(next.stamp > UnixMs{1'600'000'000'000} + days(365));
  }
}

TEST_CASE("nobody takes an unfinished copy for a log, and the copying goes on where it was") {
  for (const auto& make : import_adapters()) {
    const auto target = make();
    Source source(200);
    {
      const auto import = must_import(*target);
      must_copy(source.log(), *import);
    }
    CHECK(target->refuses());
    for (int i = 200; i < 260; ++i) source.add(i);
    {
      const auto import = must_import(*target);
      const CopyReport report = must_copy(source.log(), *import);
      CHECK(report.found == 200);
      CHECK(report.records == 60);
      CHECK(target->refuses());
      finish(*import);
      finish(*import);  // repeats do no harm
    }
    const auto log = target->open();
    REQUIRE(log.ok());
    CHECK((*log)->ensure_topic({"events", 2}).ok());
    check_same(source.log(), **log);
  }
}

TEST_CASE("a copy is not begun in a log that is in use, nor continued from another source") {
  for (const auto& make : import_adapters()) {
    const auto target = make();
    Source source(50), other(0);
    for (int i = 100; i < 200; ++i) other.add(i);
    {
      const auto import = must_import(*target);
      must_copy(source.log(), *import);
    }
    {
      const auto import = must_import(*target);
      const auto refused = copy_log(other.log(), *import, kTopics, nullptr);
      REQUIRE(!refused.ok());
      CHECK(refused.error().code == ErrorCode::conflict);
      Source wider(10, 3);
      CHECK(copy_log(wider.log(), *import, kTopics, nullptr).error().code == ErrorCode::conflict);
      must_copy(source.log(), *import);
      finish(*import);
    }
    source.add(1);
    const auto again = target->import();
    const auto copied = again.ok() ? copy_log(source.log(), **again, kTopics, nullptr)
                                   : Result<CopyReport>(again.error());
    REQUIRE(!copied.ok());
    CHECK(copied.error().code == ErrorCode::conflict);
  }
}

TEST_CASE("a source with a position that has no record is refused, and the place is named") {
  for (const auto& make : import_adapters()) {
    const auto target = make();
    Source source(20);
    source.log().skip({"events", 1}, 2);
    for (int i = 20; i < 30; ++i) source.add(i);
    const auto import = must_import(*target);
    const auto copied = copy_log(source.log(), *import, kTopics, nullptr);
    REQUIRE(!copied.ok());
    CHECK(copied.error().code == ErrorCode::conflict);
    CHECK(copied.error().message.find("events/1 at ") != std::string::npos);
  }
}

TEST_CASE("a comparison names the first difference") {
  Source source(100), same(100), other(100);
  const auto parts = parts_of(source.log(), kTopics);
  REQUIRE(parts.ok());
  CHECK(!compare_records(readers(source.log()), readers(same.log()), *parts, nullptr)->has_value());
  other.add(1);
  same.add(13);
  const auto longer = parts_of(other.log(), kTopics);
  const auto different =
      compare_records(readers(other.log()), readers(same.log()), *longer, nullptr);
  REQUIRE(different.ok());
  REQUIRE(different->has_value());
  CHECK((*different)->where == TopicPartition{"events", 1});
  CHECK((*different)->what == "the headers");
}
