// SPDX-License-Identifier: Apache-2.0
// Hostile programs against the jail, and a look at the host afterwards: nothing of theirs may be
// left, and nothing of the host's may have changed.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/fd.h"
#include "base/file.h"
#include "harness.h"
#include "sandbox/verdict.h"

using namespace sandtrail;
using namespace sandtrail::test;
namespace fs = std::filesystem;

namespace {

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// What a sandbox could leave on the host.
class HostWatch {
 public:
  explicit HostWatch(const JailOptions& options)
      : options_(options), mounts_(slurp("/proc/self/mountinfo")) {
    path_ = "/tmp/sandtrail-canary-" + std::to_string(::getpid());
    std::ofstream(path_) << "unharmed";
  }
  ~HostWatch() { fs::remove(path_); }

  const std::string& canary() const { return path_; }

  void check() const {
    CHECK(slurp(path_) == "unharmed");
    CHECK(slurp("/proc/self/mountinfo") == mounts_);
    CHECK(cgroups() == 0);
    std::error_code ignored;
    for (const char* directory : {"/proc", "/tmp", "/dev/shm"}) {
      for (const auto& entry : fs::directory_iterator(directory, ignored)) {
        CHECK_MESSAGE(!ours(entry.path()), entry.path().string());
      }
    }
  }

 private:
  bool ours(const fs::path& path) const {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return false;
    const auto end = options_.uid_base + 2 * static_cast<std::uint32_t>(options_.slots_max);
    return info.st_uid >= options_.uid_base && info.st_uid < end;
  }

  int cgroups() const {
    int count = 0;
    std::error_code ignored;
    for (const auto& hierarchy : fs::directory_iterator("/sys/fs/cgroup", ignored)) {
      for (const auto& parent : {hierarchy.path(), fs::path("/sys/fs/cgroup")}) {
        for (const auto& entry : fs::directory_iterator(parent / options_.instance, ignored)) {
          if (entry.is_directory(ignored)) ++count;
        }
      }
    }
    return count;
  }

  JailOptions options_;
  std::string mounts_;
  std::string path_;
};

class Attack {
 public:
  Attack() : options_(jail_test_options()), watch_(options_), harness_(options_) {
    program_ = slurp(SANDTRAIL_HOSTILE);
    REQUIRE_FALSE(program_.empty());
  }
  ~Attack() { watch_.check(); }

  SandboxSpec spec(std::vector<std::string> arguments) const {
    auto spec = plain_spec();
    spec.files = {{"hostile", program_, true}};
    arguments.insert(arguments.begin(), "./hostile");
    spec.stages = {{"run", std::move(arguments), true}};
    spec.limits.output_bytes = 65'536;
    spec.limits.output_flood_bytes = 1 << 20;
    return spec;
  }
  SandboxExit run(const SandboxSpec& spec) {
    const auto exit = harness_.run(spec);
    watch_.check();
    return exit;
  }
  // The program tried everything and found nothing.
  void held(std::vector<std::string> arguments) {
    const auto name = arguments[0];
    CAPTURE(name);
    const auto exit = run(spec(std::move(arguments)));
    CHECK_MESSAGE(exit.exit_code == 0, enum_text(judge(exit).verdict));
    CHECK(exit.out.kept == "done\n");
  }
  const HostWatch& watch() const { return watch_; }
  JailHarness& harness() { return harness_; }

 private:
  JailOptions options_;
  HostWatch watch_;
  JailHarness harness_;
  Bytes program_;
};

}  // namespace

TEST_CASE("system calls that lead out are refused") {
  Attack attack;
  for (const char* name : {"namespaces", "mounts", "other-processes", "kernel-surface",
                           "whole-host", "socket-families", "second-filter"}) {
    attack.held({name});
  }
}

TEST_CASE("system calls of another architecture kill the program") {
  Attack attack;
  for (const char* name : {"call-32-bit", "call-x32"}) {
    CAPTURE(name);
    const auto exit = attack.run(attack.spec({name}));
    CHECK(exit.signal == SIGSYS);
    CHECK(exit.out.kept.empty());
  }
}

TEST_CASE("the host's files are out of reach") {
  Attack attack;
  attack.held({"host-files", attack.watch().canary()});
  for (const char* name :
       {"read-only", "proc-files", "devices", "descriptors", "mount-flags", "setuid-program"}) {
    attack.held({name});
  }
}

TEST_CASE("nothing is left for the next sandbox of the slot") {
  Attack attack;
  attack.held({"leave-files"});
  attack.held({"leave-files"});
}

TEST_CASE("the program is nobody, knows nothing of the host, and cannot raise its limits") {
  Attack attack;
  for (const char* name : {"ids", "surroundings", "signals-and-limits"}) attack.held({name});
}

TEST_CASE("there is no network but the sandbox's own loopback") {
  const UniqueFd tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::bind(tcp.get(), generic, length) == 0);
  REQUIRE(::listen(tcp.get(), 1) == 0);
  REQUIRE(::getsockname(tcp.get(), generic, &length) == 0);

  const auto name = "sandtrail-test-" + std::to_string(::getpid());
  const UniqueFd local(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un abstract{};
  abstract.sun_family = AF_UNIX;
  name.copy(abstract.sun_path + 1, sizeof abstract.sun_path - 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  REQUIRE(::bind(local.get(), reinterpret_cast<sockaddr*>(&abstract), size) == 0);
  REQUIRE(::listen(local.get(), 1) == 0);

  Attack attack;
  attack.held({"reach-outside", std::to_string(ntohs(address.sin_port)), name});
  attack.held({"interfaces"});
}

TEST_CASE("greed ends at a limit, as that limit's verdict") {
  struct Row {
    const char* name;
    Verdict verdict;
  };
  const Row rows[] = {
      {"fork-bomb", Verdict::process_limit},
      {"memory-bomb", Verdict::memory_limit},
      {"hoard-pipes", Verdict::memory_limit},
      {"hoard-sockets", Verdict::memory_limit},
      {"flood-both", Verdict::output_limit},
      {"ignore-signals", Verdict::timeout},
      {"spin", Verdict::timeout},
  };
  Attack attack;
  for (const auto& row : rows) {
    CAPTURE(row.name);
    auto spec = attack.spec({row.name});
    spec.limits.memory_mib = 32;
    if (row.verdict == Verdict::timeout) spec.limits.wall_ms = 300;
    const auto exit = attack.run(spec);
    CHECK_MESSAGE(judge(exit).verdict == row.verdict, enum_text(judge(exit).verdict), " ",
                  exit.out.kept);
    CHECK(exit.usage.memory_peak_bytes <= 33 << 20);
  }
}

TEST_CASE("greed that takes a refusal for an answer ends by itself") {
  Attack attack;
  for (const char* name : {"thread-bomb", "lock-memory", "sparse-file", "fill-inodes",
                           "fill-descriptors", "hoard-zombies", "deep-directories", "daemonize"}) {
    CAPTURE(name);
    auto spec = attack.spec({name});
    spec.limits.memory_mib = 256;
    const auto exit = attack.run(spec);
    CHECK_MESSAGE(exit.exit_code == 0, enum_text(judge(exit).verdict));
    CHECK(exit.out.kept == "done\n");
  }
}

TEST_CASE("one disk limit covers everything writable") {
  Attack attack;
  auto spec = attack.spec({"fill-disk"});
  spec.limits.disk_mib = 8;
  const auto exit = attack.run(spec);
  CHECK(exit.out.kept == "done\n");
}

TEST_CASE("output is kept to the byte, however it is written") {
  struct Row {
    const char* bytes;
    const char* each;
    std::size_t kept;
    bool truncated;
  };
  Attack attack;
  for (const auto& row :
       {Row{"65535", "65536", 65'535, false}, Row{"65536", "65536", 65'536, false},
        Row{"65537", "65536", 65'536, true}, Row{"65536", "4099", 65'536, false},
        Row{"3000", "1", 3000, false}, Row{"900000", "65536", 65'536, true}}) {
    CAPTURE(row.bytes);
    const auto exit = attack.run(attack.spec({"write-bytes", row.bytes, row.each}));
    CHECK(exit.exit_code == 0);
    CHECK(exit.err.kept == Bytes(row.kept, '\xff'));
    CHECK(exit.err.total_bytes == std::stol(row.bytes));
    CHECK(exit.err.truncated == row.truncated);
    CHECK(exit.out.kept == "done\n");
  }
}

TEST_CASE("a program that closes its output early is still waited for") {
  Attack attack;
  const auto exit = attack.run(attack.spec({"close-outputs"}));
  // It sleeps between closing them and its end: its own exit code tells that it was not cut short.
  CHECK(exit.exit_code == 7);
  CHECK(exit.out.kept == "before\n");
}

TEST_CASE("input that is never read harms nobody") {
  Attack attack;
  auto spec = attack.spec({"lock-memory"});
  spec.stdin_bytes = Bytes(256 * 1024, 'x');
  CHECK(attack.run(spec).out.kept == "done\n");
}
