// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "jail/cgroup_format.h"

using namespace sandtrail::jail;

TEST_CASE("counts are read exactly or not at all") {
  struct Row {
    const char* text;
    std::optional<std::int64_t> value;
  };
  const Row rows[] = {
      {"0\n", 0},
      {"123456789012\n", 123456789012},
      {"42", 42},
      {"7\nmore\n", 7},
      {"max\n", std::nullopt},
      {"", std::nullopt},
      {"\n", std::nullopt},
      {"-1\n", std::nullopt},
      {"12x\n", std::nullopt},
      {"99999999999999999999\n", std::nullopt},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(parse_count(row.text) == row.value);
  }
}

TEST_CASE("keyed files give the number behind a key") {
  // Samples of Linux 6.18.
  const char* const v1_oom = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n";
  const char* const v2_events = "low 0\nhigh 0\nmax 12\noom 2\noom_kill 1\noom_group_kill 0\n";
  const char* const cpu = "usage_usec 1234\nuser_usec 1000\nsystem_usec 234\nnice_usec 0\n";
  CHECK(parse_keyed(v1_oom, "oom_kill") == 3);
  CHECK(parse_keyed(v2_events, "oom_kill") == 1);
  CHECK(parse_keyed(v2_events, "max") == 12);
  CHECK(parse_keyed(cpu, "usage_usec") == 1234);
  CHECK(parse_keyed("max 5\n", "max") == 5);
  CHECK_FALSE(parse_keyed(cpu, "usage"));
  CHECK_FALSE(parse_keyed("", "max"));
  CHECK_FALSE(parse_keyed("max\n", "max"));
}

TEST_CASE("the mounts of every kind of host are told apart") {
  const auto hybrid = parse_cgroup_mounts(
      "24 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
      "30 24 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
      "31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup "
      "rw,cpu,cpuacct\n"
      "32 30 0:28 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
      "33 30 0:29 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
      "34 30 0:30 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n");
  CHECK(hybrid.v2 == "/sys/fs/cgroup/unified");
  CHECK(hybrid.v1.at("memory") == "/sys/fs/cgroup/memory");
  CHECK(hybrid.v1.at("cpu") == "/sys/fs/cgroup/cpu,cpuacct");
  CHECK(hybrid.v1.at("cpuacct") == hybrid.v1.at("cpu"));
  CHECK(hybrid.v1.at("pids") == "/sys/fs/cgroup/pids");

  const auto unified = parse_cgroup_mounts(
      "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 master:1 - cgroup2 cgroup2 rw,nsdelegate\n"
      "31 24 0:27 / /mnt/second rw - cgroup2 cgroup2 rw\n");
  CHECK(unified.v2 == "/sys/fs/cgroup");
  CHECK(unified.v1.empty());

  const auto odd =
      parse_cgroup_mounts("30 24 0:26 / /a\\040b rw - cgroup2 none rw\nbroken line\n\n");
  CHECK(odd.v2 == "/a b");
  CHECK(parse_cgroup_mounts("").v2.empty());
}

TEST_CASE("the own path in the v2 tree is found beside v1 lines") {
  CHECK(parse_own_v2_path("4:memory:/x\n0::/system.slice/sandtrail.service\n") ==
        "/system.slice/sandtrail.service");
  CHECK(parse_own_v2_path("0::/\n") == "/");
  CHECK_FALSE(parse_own_v2_path("4:memory:/x\n1:name=systemd:/\n"));
  CHECK_FALSE(parse_own_v2_path(""));
}

TEST_CASE("limits become the right files of each version") {
  const CgroupLimits limits{64 << 20, 33, 1500};
  const auto value = [](const std::vector<CgroupWrite>& writes, std::string_view file) {
    const auto found = std::find_if(writes.begin(), writes.end(),
                                    [&](const CgroupWrite& write) { return write.file == file; });
    return found == writes.end() ? std::string("none") : found->value;
  };
  const auto v1 = v1_limit_writes(limits);
  CHECK(value(v1, "memory.limit_in_bytes") == "67108864");
  CHECK(value(v1, "memory.memsw.limit_in_bytes") == "67108864");
  CHECK(value(v1, "pids.max") == "33");
  CHECK(value(v1, "cpu.cfs_period_us") == "100000");
  CHECK(value(v1, "cpu.cfs_quota_us") == "150000");
  const auto v2 = v2_limit_writes(limits);
  CHECK(value(v2, "memory.max") == "67108864");
  CHECK(value(v2, "memory.swap.max") == "0");
  CHECK(value(v2, "pids.max") == "33");
  CHECK(value(v2, "cpu.max") == "150000 100000");
  // The memory limit must precede the one that includes swap, or the kernel refuses it.
  CHECK(v1[0].file == "memory.limit_in_bytes");
}

TEST_CASE("only names of our own making may be removed") {
  CHECK(is_owned_name("sandtrail-exe_01hzy-1"));
  for (const char* name : {"", "sandtrail-", "sandtrail", "init.scope", "sandtrail-../x",
                           "sandtrail-a/b", "sandtrail-a b", "Sandtrail-a", "sandtrail-a\n"}) {
    CAPTURE(name);
    CHECK_FALSE(is_owned_name(name));
  }
  CHECK_FALSE(is_owned_name("sandtrail-" + std::string(100, 'a')));
}
