// SPDX-License-Identifier: Apache-2.0
// kill -9 at random moments: what was acknowledged is there, nothing is torn, nothing destroyed
// comes back.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <future>
#include <memory>
#include <string>

#include "../../torture/fault_report.h"
#include "base/fd.h"
#include "crash_items.h"
#include "disk.h"
#include "store_dir/object_store.h"
#include "store_rocksdb/key_store.h"
#include "store_rocksdb/kv_store.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

int rounds() {
  return is_torture() ? 100 : 4;
}

// Reads lines until there are `lines_max` or no more; the last number in them, or `none`.
int read_numbers(int fd, int lines_max, int none) {
  std::string line;
  int last = none;
  for (char c = 0; lines_max > 0 && ::read(fd, &c, 1) == 1;) {
    if (c != '\n') {
      line += c;
      continue;
    }
    last = std::stoi(line);
    line.clear();
    --lines_max;
  }
  return last;
}

// Lets the writer acknowledge `count` items, kills it, and returns the last acknowledged one.
int write_and_kill(const std::string& kind, const std::string& path, int first, int count) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const UniqueFd in(ends[0]);
  UniqueFd out(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out.get(), STDOUT_FILENO);
  std::string program = CRASH_WRITER;
  std::string arguments[] = {kind, path, std::to_string(first)};
  char* argv[] = {program.data(), arguments[0].data(), arguments[1].data(), arguments[2].data(),
                  nullptr};
  pid_t child = 0;
  REQUIRE(::posix_spawn(&child, program.c_str(), &actions, nullptr, argv, environ) == 0);
  posix_spawn_file_actions_destroy(&actions);
  out.reset();

  const int last = read_numbers(in.get(), count, first - 1);
  ::kill(child, SIGKILL);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  REQUIRE(last == first + count - 1);
  // What it acknowledged before the signal reached it counts as well.
  return read_numbers(in.get(), 1'000'000, last);
}

template <typename T>
T require_value(Result<T> result) {
  REQUIRE_MESSAGE(result.ok(), (result.ok() ? std::string() : result.error().text()));
  return std::move(result).value();
}

void check_kv(const std::string& kind) {
  const TemporaryDirectory dir;
  FaultReport report("kill -9 of a kv store, writes " +
                     std::string(kind == "kv" ? "not synced" : "synced"));
  SeededRandom random(1);
  int next = 0;
  for (int round = 0; round < rounds(); ++round) {
    report.tried();
    const int count = 1 + static_cast<int>(random.below(kind == "kv" ? 3000 : 200));
    next = write_and_kill(kind, dir.path + "/kv", next, count) + 1;
    const auto store = require_value(open_rocksdb_kv_store(dir.path + "/kv"));
    for (int i = 0; i < next; ++i) {
      REQUIRE(**store->get("1/" + item_name(i)) == item_content(i));
      REQUIRE(**store->get("2/" + item_name(i)) == item_content(i));
    }
    // The one it died in is there whole or not at all.
    REQUIRE(*store->get("1/" + item_name(next)) == *store->get("2/" + item_name(next)));
    report.came("all written is there");
  }
}

}  // namespace

TEST_CASE("kill -9: a kv store keeps what was written without sync") {
  check_kv("kv");
}

TEST_CASE("kill -9: a kv store keeps what was written with sync") {
  check_kv("kv_sync");
}

TEST_CASE("kill -9: a key store keeps what was answered") {
  const TemporaryDirectory dir;
  FaultReport report("kill -9 of a key store that puts");
  SeededRandom random(2);
  int next = 0;
  for (int round = 0; round < rounds(); ++round) {
    report.tried();
    const int count = 1 + static_cast<int>(random.below(200));
    next = write_and_kill("keys", dir.path + "/keys", next, count) + 1;
    const auto store = require_value(open_rocksdb_key_store(dir.path + "/keys"));
    for (int i = 0; i < next; ++i) REQUIRE(*store->get(item_key(i).id) == item_key(i));
    report.came("all answered is there");
  }
}

TEST_CASE("kill -9: destroyed keys stay destroyed, and repeating a destroy erases the bytes") {
  const TemporaryDirectory dir;
  FaultReport report("kill -9 of a key store that destroys");
  SeededRandom random(3);
  int next = 0;
  for (int round = 0; round < rounds(); ++round) {
    report.tried();
    const int count = 1 + static_cast<int>(random.below(6));
    next = write_and_kill("destroy", dir.path + "/keys", next, count) + 1;
    for (int i = 0; i < next; ++i) REQUIRE_FALSE(directory_holds(dir.path, item_key(i).wrapped));
    const auto store = require_value(open_rocksdb_key_store(dir.path + "/keys"));
    for (int i = 0; i < next; ++i) {
      REQUIRE(store->get(item_key(i).id).error().code == ErrorCode::not_found);
    }
    // It may have died anywhere between putting this one and erasing it.
    std::promise<Status> destroyed;
    store->destroy(item_key(next).id,
                   [&destroyed](Status status) { destroyed.set_value(std::move(status)); });
    REQUIRE(destroyed.get_future().get().ok());
    REQUIRE_FALSE(directory_holds(dir.path, item_key(next).wrapped));
    report.came("all destroyed is gone from the disk");
  }
}

TEST_CASE("kill -9: an object directory keeps what was put, and leaves no rubbish once opened") {
  const TemporaryDirectory dir;
  FaultReport report("kill -9 of a directory of objects");
  SeededRandom random(4);
  int next = 0;
  for (int round = 0; round < rounds(); ++round) {
    report.tried();
    const int count = 1 + static_cast<int>(random.below(100));
    next = write_and_kill("objects", dir.path + "/objects", next, count) + 1;
    const auto store = require_value(open_directory_object_store(dir.path + "/objects"));
    for (int i = 0; i < next; ++i) REQUIRE(*store->get(item_name(i)) == item_content(i));
    const auto unfinished = store->get(item_name(next));
    if (unfinished.ok()) REQUIRE(*unfinished == item_content(next));
    REQUIRE(files_below(dir.path + "/objects/incoming").empty());
    report.came("all put is there");
  }
}
