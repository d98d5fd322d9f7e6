// SPDX-License-Identifier: Apache-2.0
// G10 on the embedded log: whatever byte of whatever file is damaged, cut off or gone, the log
// either holds an intact prefix that reaches its head mark and every store's position, or says so,
// and what to do. Never silence, never a wrong record.
#include "damage.h"
#include "log_contract.h"

using namespace sandtrail;
using namespace sandtrail::contract;
namespace fs = std::filesystem;

namespace {

std::uint64_t flips_of_each() {
  return is_torture() ? 5000 : 400;
}

std::uint64_t cuts_of_each() {
  return is_torture() ? ~std::uint64_t{0} : 250;
}

void append_records(EventLog& log, int count) {
  for (int i = 0; i < count; ++i) {
    for (const std::int32_t partition : {0, 1}) commit(log, {"t", partition}, record_of("more"));
  }
}

}  // namespace

TEST_CASE("every damaged byte of a cleanly closed log is refused, reported or harmless") {
  const Original original;
  SeededRandom random(1);
  const auto cases = flips(original.closed.path, flips_of_each(), random);
  const Tally tally = run_cases(original.closed.path, cases, original.acknowledged);
  MESSAGE(tally.line("flips in a closed log"));
  CHECK(tally.all() == flips_of_each());
  CHECK(tally.noticed() > cases.size() / 2);
  CHECK(tally.window == 0);
}

TEST_CASE("every damaged byte of a killed log is refused, reported or harmless") {
  const Original original;
  SeededRandom random(2);
  const auto cases = flips(original.killed.path, flips_of_each(), random);
  const Tally tally =
      run_cases(original.killed.path, cases, original.acknowledged, original.folded);
  MESSAGE(tally.line("flips in a killed log"));
  CHECK(tally.noticed() > cases.size() / 2);
}

TEST_CASE("a table file that would end the process in RocksDB is refused before") {
  const Original original;
  const auto files = files_of(original.closed.path);
  const auto table = std::find_if(files.begin(), files.end(),
                                  [](const std::string& file) { return file.ends_with(".sst"); });
  REQUIRE(table != files.end());
  const std::uint64_t size = fs::file_size(original.closed.path + "/" + *table);
  std::vector<Case> cases;
  // The highest bit of each byte of its properties and of all that follows them.
  const std::uint64_t step = is_torture() ? 1 : 3;
  for (std::uint64_t at = size - std::min<std::uint64_t>(size, 1400); at < size; at += step) {
    cases.push_back({describe(*table, "flipped at", at),
                     [file = *table, at](const auto& d) { flip(d + "/" + file, at, 0x80); }});
  }
  CHECK(run_cases(original.closed.path, cases).noticed() > cases.size() / 2);
}

TEST_CASE("a write-ahead log cut off anywhere leaves an intact prefix or a refusal") {
  const Original original;
  const auto killed = truncations(original.killed.path, cuts_of_each());
  const Tally tally =
      run_cases(original.killed.path, killed, original.acknowledged, original.folded);
  MESSAGE(tally.line("cuts of a killed log"));
  CHECK(tally.refused > 0);
  CHECK(tally.store > 0);
  const auto closed = truncations(original.closed.path, cuts_of_each() / 2);
  const Tally after_close = run_cases(original.closed.path, closed, original.acknowledged);
  MESSAGE(after_close.line("cuts of a closed log"));
  CHECK(after_close.refused == closed.size());
}

TEST_CASE("a missing file is refused, reported or harmless") {
  const Original original;
  for (const std::string& directory : {original.closed.path, original.killed.path}) {
    std::vector<Case> cases;
    for (const std::string& file : files_of(directory)) {
      cases.push_back({file + " removed", [file](const auto& d) { fs::remove(d + "/" + file); }});
    }
    cases.push_back({"no records at all", [](const auto& d) { fs::remove_all(d + "/records"); }});
    CHECK(run_cases(directory, cases).noticed() > 0);
  }
}

TEST_CASE("a log without its write-ahead log is refused, until the loss is accepted") {
  const Original original;
  const std::string& directory = original.closed.path;
  const std::string identity = (must_open(directory), read_head_mark(directory)->identity);
  append_records(*must_open(directory), 3);
  int removed = 0;
  for (const std::string& file : files_of(directory)) {
    if (file.ends_with(".log")) removed += fs::remove(directory + "/" + file) ? 1 : 0;
  }
  REQUIRE(removed > 0);
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto refused = try_open(directory);
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == ErrorCode::conflict);
    CHECK(refused.error().message.find("t/0 ended at 63 and now ends at 60") != std::string::npos);
    CHECK(refused.error().hint.find("backup") != std::string::npos);
  }
  EmbeddedLogOptions accepting;
  accepting.accept_loss = true;
  std::string renamed;
  {
    const auto log = must_open(directory, accepting);
    renamed = log->identity();
    CHECK(renamed != identity);
    CHECK(log->marks({"t", 0})->high.value == 60);
    append_records(*log, 2);
  }
  // Nothing is missing any more, so nothing is accepted and the identity stays.
  CHECK(must_open(directory, accepting)->identity() == renamed);
  CHECK(must_open(directory)->identity() == renamed);
}
