// SPDX-License-Identifier: Apache-2.0
// Write errors, full disks, wrong directories.
#include <sys/mount.h>

#include <fstream>
#include <thread>

#include "base/file.h"
#include "embedded_support.h"
#include "fault_env.h"
#include "log_contract.h"
#include "log_embedded/embedded_log_on_env.h"
#include "log_embedded/head_mark.h"

using namespace sandtrail;
using namespace sandtrail::contract;

namespace {

const TopicPartition kWhere{"t", 0};

std::unique_ptr<EventLog> open_on(FaultEnv& faults, const std::string& directory) {
  auto log = open_embedded_log_on_env(directory, {}, test_clock, test_random, faults.env());
  if (!log.ok()) FAIL(log.error().text());
  REQUIRE((*log)->ensure_topic({"t", 1}).ok());
  return std::move(*log);
}

AppendOutcome append_and_wait(EventLog& log, const Record& record) {
  History history;
  history.append(log, kWhere, record);
  REQUIRE(history.wait());
  return history.sent()[0].outcome;
}

// Appends until one is committed again. False if that takes too long.
bool recovers(EventLog& log) {
  const std::int64_t end_us = test_clock.monotonic_us() + kPatience.count * 1000;
  while (test_clock.monotonic_us() < end_us) {
    if (append_and_wait(log, record_of("again")).committed()) return true;
    std::this_thread::yield();
  }
  return false;
}

struct FullDisk {
  TemporaryDirectory directory;
  bool mounted = false;
  explicit FullDisk(const char* size) {
    mounted = ::mount("tmpfs", directory.path.c_str(), "tmpfs", 0, size) == 0;
  }
  ~FullDisk() {
    if (mounted) ::umount2(directory.path.c_str(), MNT_DETACH);
  }
};

}  // namespace

TEST_CASE("a failed write or sync stops the log for good, and every answer stays true") {
  FaultReport report("a write or fsync fails at the n-th call (EIO, ENOSPC)");
  for (const auto call : {FaultEnv::Call::append, FaultEnv::Call::sync}) {
    for (const bool no_space : {false, true}) {
      for (int skip = 0; skip < 12; ++skip) {
        CAPTURE(skip);
        CAPTURE(no_space);
        report.tried();
        FaultEnv faults;
        const TemporaryDirectory directory;
        History history;
        {
          const auto log = open_on(faults, directory.path);
          commit(*log, kWhere, record_of("before"));
          faults.fail(call, skip, no_space);
          for (int n = 0; faults.failures() == 0 && n < 100'000; ++n) {
            history.append(*log, kWhere, record_of(std::to_string(n)));
            if (n % 3 == 0) REQUIRE(history.wait());
          }
          REQUIRE(history.wait());
          REQUIRE(faults.failures() == 1);
          CHECK(log->health().level == LogHealth::Level::fatal);
          const AppendOutcome late = append_and_wait(*log, record_of("late"));
          CHECK(late.kind == AppendOutcome::Kind::not_committed);
          CHECK(!late.error.retryable());
          CHECK(!log->ensure_topic({"other", 1}).ok());
          CHECK(!log->trim(kWhere, log->marks(kWhere)->high).ok());
          CHECK(faults.calls_after_failure() == 0);
        }
        const auto log = must_open(directory.path);
        check_truthful(*log, kWhere, history.sent());
        REQUIRE(commit(*log, kWhere, record_of("after")).committed());
        report.came("stopped for good, every answer true");
      }
    }
  }
}

TEST_CASE("when tables cannot be written for lack of space, appends wait and then go on") {
  constexpr std::size_t kRecordBytes = 200'000;
  FaultEnv faults;
  const TemporaryDirectory directory;
  History history;
  {
    const auto log = open_on(faults, directory.path);
    faults.tables_full(true);
    bool refused = false;
    for (int n = 0; n < 400 && !refused; ++n) {
      history.append(*log, kWhere, {"", {}, std::to_string(n) + Bytes(kRecordBytes, '.')});
      REQUIRE(history.wait());
      const AppendOutcome outcome = history.sent().back().outcome;
      refused = outcome.kind == AppendOutcome::Kind::not_committed;
      if (!refused) continue;
      CHECK(outcome.error.code == ErrorCode::disk_full);
      CHECK(outcome.error.retryable());
    }
    CHECK(refused);
    CHECK(log->health().level == LogHealth::Level::degraded);
    faults.tables_full(false);
    CHECK(recovers(*log));
    CHECK(log->health().level == LogHealth::Level::ok);
    check_truthful(*log, kWhere, history.sent());
  }
  check_truthful(*must_open(directory.path), kWhere, history.sent());
}

TEST_CASE("a disk that runs full refuses appends, and takes them again when there is space") {
  const FullDisk disk("size=96m");
  if (!disk.mounted) {
    MESSAGE("not run: mounting a small tmpfs takes root");
    return;
  }
  EmbeddedLogOptions options;
  options.free_bytes_min = 24u << 20;
  const std::string ballast = disk.directory.path + "/ballast";
  const auto log = must_open(disk.directory.path + "/log", options);
  REQUIRE(log->ensure_topic({"t", 1}).ok());
  commit(*log, kWhere, record_of("before"));
  for (int round = 0; round < 3; ++round) {
    {
      std::ofstream file(ballast);
      file << Bytes(80u << 20, 'b');
    }
    const AppendOutcome refused = append_and_wait(*log, record_of("full"));
    CHECK(refused.kind == AppendOutcome::Kind::not_committed);
    CHECK(refused.error.code == ErrorCode::disk_full);
    CHECK(refused.error.retryable());
    CHECK(log->health().level == LogHealth::Level::degraded);
    // What frees space must still work.
    CHECK(log->trim(kWhere, log->marks(kWhere)->high).ok());
    std::filesystem::remove(ballast);
    CHECK(log->health().level == LogHealth::Level::ok);
    CHECK(append_and_wait(*log, record_of("space")).committed());
  }
}

TEST_CASE("without a reserve a full disk still yields no false answer") {
  const FullDisk disk("size=40m");
  if (!disk.mounted) {
    MESSAGE("not run: mounting a small tmpfs takes root");
    return;
  }
  EmbeddedLogOptions options;
  options.free_bytes_min = 0;
  const std::string directory = disk.directory.path + "/log";
  const std::string ballast = disk.directory.path + "/ballast";
  {
    std::ofstream file(ballast);
    file << Bytes(8u << 20, 'b');
  }
  History history;
  {
    const auto log = must_open(directory, options);
    REQUIRE(log->ensure_topic({"t", 1}).ok());
    bool stopped = false;
    for (int n = 0; n < 1000 && !stopped; ++n) {
      history.append(*log, kWhere, record_of(std::to_string(n) + test_random.bytes(100'000)));
      REQUIRE(history.wait());
      stopped = !history.sent().back().outcome.committed();
    }
    CHECK(stopped);
    CHECK(log->health().level != LogHealth::Level::ok);
  }
  std::filesystem::remove(ballast);
  const auto log = must_open(directory, options);
  check_truthful(*log, kWhere, history.sent());
  CHECK(commit(*log, kWhere, record_of("after")).committed());
}

TEST_CASE("a log that is open cannot be opened again") {
  const TemporaryDirectory directory;
  auto log = must_open(directory.path);
  const auto second = try_open(directory.path);
  REQUIRE(!second.ok());
  CHECK(second.error().code == ErrorCode::conflict);
  CHECK(second.error().message.find("another process") != std::string::npos);
  CHECK(!second.error().hint.empty());
  log.reset();
  CHECK(try_open(directory.path).ok());
}

TEST_CASE("parts of different logs are refused") {
  for (const char* part : {"identity", "head", "records"}) {
    CAPTURE(part);
    const TemporaryDirectory ours;
    const TemporaryDirectory theirs;
    for (const std::string& directory : {ours.path, theirs.path}) {
      const auto log = must_open(directory);
      REQUIRE(log->ensure_topic({"t", 1}).ok());
      commit(*log, kWhere, record_of("same in both"));
    }
    std::filesystem::remove_all(ours.path + "/" + part);
    std::filesystem::copy(theirs.path + "/" + part, ours.path + "/" + part,
                          std::filesystem::copy_options::recursive);
    const auto mixed = try_open(ours.path);
    REQUIRE(!mixed.ok());
    CHECK(mixed.error().code == ErrorCode::conflict);
    EmbeddedLogOptions accepting;
    accepting.accept_loss = true;
    const std::string renamed = must_open(ours.path, accepting)->identity();
    CHECK(renamed != must_open(theirs.path)->identity());
    CHECK(must_open(ours.path)->identity() == renamed);
  }
}

TEST_CASE("the head mark follows the log, and counts its openings") {
  const TemporaryDirectory directory;
  for (std::uint64_t boot = 1; boot <= 3; ++boot) {
    const auto log = must_open(directory.path);
    REQUIRE(log->ensure_topic({"t", 2}).ok());
    commit(*log, kWhere, record_of(std::to_string(boot)));
    const Position tail = log->marks(kWhere)->high;
    const std::int64_t end_us = test_clock.monotonic_us() + kPatience.count * 1000;
    auto head = read_head_mark(directory.path);
    while (head.ok() && head->marks[0].tail < tail && test_clock.monotonic_us() < end_us) {
      std::this_thread::yield();
      head = read_head_mark(directory.path);
    }
    REQUIRE(head.ok());
    CHECK(head->boots == boot);
    CHECK(head->identity == log->identity());
    REQUIRE(head->marks.size() == 2);
    CHECK(head->marks[0].where == kWhere);
    CHECK(head->marks[0].tail == tail);
  }
}

TEST_CASE("what a group reported holds trims back over restarts, until it is forgotten") {
  const TemporaryDirectory directory;
  {
    const auto log = must_open(directory.path);
    REQUIRE(log->ensure_topic({"t", 1}).ok());
    for (int n = 0; n < 5; ++n) commit(*log, kWhere, record_of(std::to_string(n)));
    log->report("gone", kWhere, {2});
  }
  {
    const auto log = must_open(directory.path);
    const Status held = log->trim(kWhere, {3});
    REQUIRE(!held.ok());
    CHECK(held.error().code == ErrorCode::conflict);
    CHECK(held.error().message.find("gone") != std::string::npos);
    CHECK(log->trim(kWhere, {2}).ok());
  }
  EmbeddedLogOptions options;
  options.forget_groups = {"gone"};
  CHECK(must_open(directory.path, options)->trim(kWhere, {3}).ok());
  CHECK(must_open(directory.path)->trim(kWhere, {4}).ok());
}
