// SPDX-License-Identifier: Apache-2.0
// Looking at a log that does not open, before somebody decides to go on without what it lost.
#include "log_embedded/inspect.h"

#include "base/file.h"
#include "damage.h"
#include "log_contract.h"

using namespace sandtrail;
using namespace sandtrail::contract;
namespace fs = std::filesystem;

namespace {

Result<LogCondition> inspect(const std::string& directory, std::size_t* seen = nullptr) {
  return inspect_embedded_log(directory, {"t"}, test_clock, test_random,
                              [seen](EventLog& log) -> Status {
                                if (seen != nullptr) *seen = read_all(log, {"t", 0}).size();
                                return {};
                              });
}

std::map<std::string, Bytes> bytes_of(const std::string& directory) {
  std::map<std::string, Bytes> out;
  for (const std::string& file : files_of(directory)) {
    out[file] = *read_file(directory + "/" + file, 1u << 30);
  }
  return out;
}

}  // namespace

TEST_CASE("a log that opens has lost nothing, and one that is open is not looked at") {
  const TemporaryDirectory directory;
  CHECK(inspect(directory.path).error().code == ErrorCode::not_found);
  auto log = must_open(directory.path);
  REQUIRE(log->ensure_topic({"t", 1}).ok());
  commit(*log, {"t", 0}, record_of("one"));
  CHECK(inspect(directory.path).error().code == ErrorCode::conflict);
  const std::string identity = log->identity();
  log.reset();
  std::size_t seen = 0;
  const auto condition = inspect(directory.path, &seen);
  REQUIRE(condition.ok());
  CHECK(condition->loss.empty());
  CHECK(condition->identity == identity);
  CHECK(seen == 1);
  using Ends = std::map<TopicPartition, Position>;
  CHECK(condition->marked == Ends{{{"t", 0}, {1}}});
  CHECK(condition->found == condition->marked);
}

TEST_CASE("what a log lost is told by partition, and looking changes no byte of it") {
  const Original original;
  const std::string& directory = original.killed.path;
  const auto head = read_head_mark(directory);
  for (const std::string& file : files_of(directory)) {
    if (file.ends_with(".log")) fs::resize_file(directory + "/" + file, 1500);
  }
  const auto before = bytes_of(directory);
  std::size_t seen = 0;
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto condition = inspect(directory, &seen);
    REQUIRE(condition.ok());
    CHECK(condition->identity == head->identity);
    CHECK(condition->loss.find("acknowledged records of the log are gone") != std::string::npos);
    for (const HeadMark::Mark& mark : head->marks) {
      CHECK(condition->marked.at(mark.where) == mark.tail);
      CHECK(condition->found.at(mark.where) < mark.tail);
    }
    CHECK(static_cast<std::int64_t>(seen) == condition->found.at({"t", 0}).value);
    CHECK(bytes_of(directory) == before);
    CHECK(!fs::exists(directory + "/inspected"));
  }
  // What was told is what is found when it is accepted.
  const auto condition = inspect(directory);
  EmbeddedLogOptions options;
  options.accept_loss = true;
  const auto log = must_open(directory, options);
  CHECK(log->marks({"t", 0})->high == condition->found.at({"t", 0}));
  CHECK(log->marks({"t", 1})->high == condition->found.at({"t", 1}));
}

TEST_CASE("an identity can be renewed without a loss that the log knows of") {
  const TemporaryDirectory directory;
  const std::string first = must_open(directory.path)->identity();
  CHECK(must_open(directory.path)->identity() == first);
  EmbeddedLogOptions options;
  options.renew_identity = true;
  const std::string second = must_open(directory.path, options)->identity();
  CHECK(second != first);
  CHECK(must_open(directory.path)->identity() == second);
}

TEST_CASE("under another identity what a group had reported counts no more") {
  const TemporaryDirectory directory;
  {
    const auto log = must_open(directory.path);
    REQUIRE(log->ensure_topic({"t", 1}).ok());
    for (int n = 0; n < 5; ++n) commit(*log, {"t", 0}, record_of(std::to_string(n)));
    log->report("g", {"t", 0}, {4});
  }
  EmbeddedLogOptions options;
  options.renew_identity = true;
  const auto log = must_open(directory.path, options);
  // Its store begins again, and must find everything.
  CHECK(log->trim({"t", 0}, {1}).error().code == ErrorCode::conflict);
  log->report("g", {"t", 0}, {3});
  CHECK(log->trim({"t", 0}, {3}).ok());
}
