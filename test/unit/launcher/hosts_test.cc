// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "base/limits.h"
#include "fake_host.h"
#include "launcher/hosts.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

struct Registry {
  explicit Registry(bool joinable = true) : hosts(clock, joinable) {}

  HostId id() { return HostId::fresh(clock, random); }
  std::shared_ptr<FakeHost> join(int slots = 2, std::vector<std::string> languages = {"python"}) {
    return join(id(), 1, slots, std::move(languages));
  }
  std::shared_ptr<FakeHost> join(HostId id, std::int64_t epoch, int slots = 2,
                                 std::vector<std::string> languages = {"python"}) {
    auto host = std::make_shared<FakeHost>(id, epoch, slots, std::move(languages));
    hosts.join(host);
    return host;
  }
  void attach(std::int32_t partition, std::int64_t epoch = 1) {
    Hosts::Listener listener;
    listener.owner = {partition, epoch};
    listener.on_report = [this, partition](const HostReport&) { reported.push_back(partition); };
    listener.on_never_sent = [this, partition](const ExecutionId&, std::int64_t) {
      unsent.push_back(partition);
    };
    listener.on_host = [this](const HostId& host) { told.push_back(host); };
    listener.on_slot_free = [this, partition] { woken.push_back(partition); };
    hosts.attach(std::move(listener));
  }
  // Which host's slot it was.
  HostId reserve(std::int32_t partition = 0, const std::string& language = "python") {
    const auto info = hosts.reserve(partition, language);
    return info ? info->id : HostId();
  }

  ManualClock clock;
  SeededRandom random{4};
  Hosts hosts;
  std::vector<std::int32_t> reported;
  std::vector<std::int32_t> unsent;
  std::vector<std::int32_t> woken;
  std::vector<HostId> told;
};

}  // namespace

TEST_CASE("hosts: a host that joins hears of every owner, and every owner of it") {
  Registry r;
  r.attach(0, 3);
  r.attach(1, 5);
  const auto host = r.join();
  CHECK(host->said == std::vector<std::string>{"take_over 0@3", "take_over 1@5"});
  CHECK(r.told == std::vector<HostId>{host->info().id, host->info().id});
  host->said.clear();
  r.attach(0, 4);
  r.hosts.take_over(0);
  CHECK(host->said == std::vector<std::string>{"take_over 0@4"});
  r.hosts.detach(1);
  const auto late = r.join();
  CHECK(late->said == std::vector<std::string>{"take_over 0@4"});
}

TEST_CASE("hosts: slots go to the host with the most free ones, and come back") {
  Registry r;
  const auto small = r.join(1);
  const auto large = r.join(3);
  CHECK(r.reserve() == large->info().id);
  CHECK(r.reserve() == large->info().id);
  std::vector<HostId> last{r.reserve(), r.reserve()};
  std::sort(last.begin(), last.end());
  std::vector<HostId> both{small->info().id, large->info().id};
  std::sort(both.begin(), both.end());
  CHECK(last == both);
  CHECK(r.reserve().nil());
  r.hosts.release(small->info().id);
  CHECK(r.reserve() == small->info().id);
}

TEST_CASE("hosts: what others take of a host is no room here") {
  Registry r;
  const auto host = r.join(4);
  host->free_slots = 1;
  CHECK(!r.reserve().nil());
  CHECK(r.reserve().nil());
  host->free_slots = 4;
  r.attach(0);
  host->events->on_room(host->info().id);
  CHECK(r.woken == std::vector<std::int32_t>{0});
  CHECK(!r.reserve().nil());
}

TEST_CASE("hosts: a place is for a language that the host has, and lines are kept") {
  Registry r;
  r.attach(0);
  r.attach(1);
  const auto host = r.join(1, {"python"});
  CHECK(r.reserve(2, "rust").nil());
  CHECK(!r.reserve(1, "python").nil());
  CHECK(r.reserve(0, "python").nil());
  r.woken.clear();
  r.hosts.release(host->info().id);
  CHECK(r.woken == std::vector<std::int32_t>{0});
  CHECK(r.reserve(1, "python").nil());  // it stands behind the other
  CHECK(!r.reserve(0, "python").nil());
}

TEST_CASE("hosts: a connection that was replaced takes nothing away when it ends") {
  Registry r;
  const HostId id = r.id();
  const auto first = r.join(id, 1);
  const auto second = r.join(id, 2);
  CHECK(r.hosts.find(id) == second);
  r.hosts.gone(first, Hosts::Departure::lapsed);
  CHECK(r.hosts.find(id) == second);
  r.hosts.gone(second, Hosts::Departure::lapsed);
  CHECK(r.hosts.find(id) == nullptr);
}

TEST_CASE("hosts: of one that is gone it is known since when, and whether for good") {
  Registry r;
  CHECK(!r.hosts.absence(r.id()).has_value());
  const auto lapsed = r.join(r.id(), 4);
  const auto left = r.join(r.id(), 4);
  r.clock.advance(seconds(9));
  r.hosts.gone(lapsed, Hosts::Departure::lapsed);
  r.hosts.gone(left, Hosts::Departure::left);
  CHECK(r.hosts.absence(lapsed->info().id)->since == r.clock.now());
  CHECK(r.hosts.absence(lapsed->info().id)->left_epoch == 0);
  CHECK(r.hosts.absence(left->info().id)->left_epoch == 4);
  CHECK(r.reserve().nil());
}

TEST_CASE("hosts: slots of a host that is away stay taken when it comes back") {
  Registry r;
  const HostId id = r.id();
  const auto host = r.join(id, 1, 2);
  r.reserve();
  r.hosts.gone(host, Hosts::Departure::lapsed);
  r.hosts.occupy(id);  // taken over meanwhile
  r.join(id, 1, 2);
  CHECK(r.reserve().nil());
  r.hosts.release(id);
  CHECK(r.reserve() == id);
}

TEST_CASE("hosts: a language is given up only when no host that has it is to be expected") {
  Registry r;
  CHECK(r.hosts.may_support("python"));  // nobody has joined yet
  const auto host = r.join(2, {"python"});
  CHECK(r.hosts.may_support("rust"));  // others may
  r.clock.advance(limits::kHostLease);
  CHECK(!r.hosts.may_support("rust"));
  CHECK(r.hosts.may_support("python"));
  CHECK(r.hosts.may_support(""));
  r.hosts.gone(host, Hosts::Departure::lapsed);
  CHECK(r.hosts.may_support("python"));
  Registry alone(false);
  FakeHost builtin(alone.id(), 1, 2, {"python"});
  alone.hosts.add(builtin);
  CHECK(alone.hosts.may_support("python"));
  CHECK(!alone.hosts.may_support("rust"));
}

TEST_CASE("hosts: what is heard goes to the partition that acts, and to nobody else") {
  Registry r;
  r.attach(0);
  const auto host = r.join();
  HostReport report;
  report.partition = 0;
  host->events->on_report(report);
  report.partition = 7;
  host->events->on_report(report);
  host->events->on_never_sent(0, ExecutionId(), 1);
  host->events->on_never_sent(7, ExecutionId(), 1);
  CHECK(r.reported == std::vector<std::int32_t>{0});
  CHECK(r.unsent == std::vector<std::int32_t>{0});
  r.told.clear();
  host->events->on_taken_over(host->info().id, 0);
  host->events->on_taken_over(host->info().id, 7);
  CHECK(r.told.size() == 1);
}

TEST_CASE("hosts: however many come and go, the list stays bounded") {
  Registry r;
  for (std::size_t i = 0; i < limits::kHostsMax + 20; ++i) {
    const auto host = r.join();
    r.clock.advance({1});
    r.hosts.gone(host, Hosts::Departure::lapsed);
  }
  CHECK(r.hosts.load().size() <= limits::kHostsMax);
}
