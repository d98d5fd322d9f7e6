// SPDX-License-Identifier: Apache-2.0
// The launcher's side against hosts that do as they like.
#include <doctest/doctest.h>

#include "base/limits.h"
#include "crypto/digest.h"
#include "hosting/protocol.h"
#include "launcher/remote_hosts.h"

using namespace sandtrail;

namespace {

class Answer final : public http::Responder {
 public:
  void respond(http::Response r) override {
    if (!response) response = std::move(r);
  }
  std::shared_ptr<http::Stream> start_stream(http::Response) override { return nullptr; }
  void on_closed(std::function<void()> c) override { closed = std::move(c); }
  std::string code() const {
    if (!response || response->status < 400) return "";
    return read_body<ProtocolError>(response->body)->code;
  }
  int status() const { return response ? response->status : 0; }
  std::optional<http::Response> response;
  std::function<void()> closed;
};

struct Site {
  Site() : remote({"one", limits::kHostLease}, hosts, clock, random) {
    Hosts::Listener listener;
    listener.owner = {0, 7};
    listener.on_report = [this](HostReport report) { reports.push_back(std::move(report)); };
    listener.on_never_sent = [this](const ExecutionId& id, std::int64_t) { unsent.push_back(id); };
    listener.on_host = [](const HostId&) {};
    listener.on_slot_free = [] {};
    hosts.attach(std::move(listener));
  }
  std::shared_ptr<Answer> ask(const std::string& method, const std::string& path,
                              const Bytes& body = "") {
    http::Request request;
    request.method = method;
    request.path = path.substr(0, path.find('?'));
    if (path.find('?') != std::string::npos) request.query = path.substr(path.find('?') + 1);
    request.body = body;
    request.peer = peer;
    auto answer = std::make_shared<Answer>();
    remote.handler()(std::move(request), answer);
    return answer;
  }
  JoinRequest joining(std::int64_t epoch = 1) {
    JoinRequest out;
    out.host = host;
    out.epoch = epoch;
    out.slots = 4;
    out.isolation = "process";
    return out;
  }
  std::shared_ptr<Answer> join(const JoinRequest& request) {
    return ask("POST", "/host/v1/sessions", json::print(to_json(request)));
  }
  // The path of a new session.
  std::string session(std::int64_t epoch = 1) {
    const auto answer = join(joining(epoch));
    REQUIRE(answer->status() == 201);
    return "/host/v1/sessions/" + read_body<JoinAnswer>(answer->response->body)->session;
  }
  std::vector<NumberedOrder> fetch(const std::string& path, std::int64_t after = 0) {
    const auto answer = ask("GET", path + "/orders?after=" + std::to_string(after));
    if (answer->status() != 200) return {};
    return std::move(read_orders(answer->response->body)).value();
  }
  std::shared_ptr<Answer> say(const std::string& path, const std::vector<HostWord>& words,
                              const HostLoad& load = {}) {
    std::vector<Bytes> texts;
    for (const HostWord& word : words) texts.push_back(word_text(word));
    return ask("POST", path + "/reports", words_text(load, {texts.begin(), texts.end()}));
  }
  LaunchOrder launch(const ExecutionId& id, std::int64_t host_epoch = 1) {
    LaunchOrder order;
    order.by = {0, 7};
    order.execution = id;
    order.attempt = 1;
    order.host_epoch = host_epoch;
    order.key = SecretBytes(std::string(32, 'k'));
    return order;
  }
  HostReport finished(const ExecutionId& id, std::size_t bytes = 10) {
    HostReport report;
    report.execution = id;
    report.attempt = 1;
    ExecutionFinished result;
    result.host_epoch = 1;
    result.payload.emplace().sealed.bytes = Bytes(bytes, 'x');
    report.what = std::move(result);
    return report;
  }
  ExecutionId execution() { return ExecutionId::fresh(clock, random); }
  void pass(Millis span) {
    for (std::int64_t left = span.count; left > 0; left -= 500) {
      clock.advance({500});
      remote.tick();
    }
  }

  ManualClock clock;
  SeededRandom random{9};
  HostId host = HostId::fresh(clock, random);
  std::optional<http::PeerIdentity> peer;
  Hosts hosts{clock, true};
  RemoteHosts remote;
  std::vector<HostReport> reports;
  std::vector<ExecutionId> unsent;
};

}  // namespace

TEST_CASE("remote hosts: only what is a host, and says so properly, may join") {
  Site site;
  using Change = std::function<void(JoinRequest&)>;
  const std::vector<std::pair<const char*, Change>> bad{
      {"another protocol", [](auto& j) { j.protocol = 2; }},
      {"no name", [](auto& j) { j.host = HostId(); }},
      {"no epoch", [](auto& j) { j.epoch = 0; }},
      {"no slots", [](auto& j) { j.slots = 0; }},
      {"too many slots", [](auto& j) { j.slots = limits::kSlotsMax + 1; }},
      {"a long address", [](auto& j) { j.address = std::string(300, 'a'); }},
      {"many languages", [](auto& j) { j.languages.assign(limits::kLanguagesMax + 1, "x"); }},
      {"a long language", [](auto& j) { j.languages = {std::string(300, 'l')}; }},
  };
  for (const auto& [what, change] : bad) {
    CAPTURE(what);
    JoinRequest request = site.joining();
    change(request);
    CHECK(site.join(request)->code() == "malformed");
  }
  for (const std::string body : {"", "{}", "[]", "{\"protocol\":1}", "\xff"}) {
    CHECK(site.ask("POST", "/host/v1/sessions", body)->code() == "malformed");
  }
  CHECK(site.hosts.load().empty());
  CHECK(site.join(site.joining())->status() == 201);
  CHECK(site.hosts.find(site.host) != nullptr);
}

TEST_CASE("remote hosts: nothing else is served, whatever is asked") {
  Site site;
  const std::string path = site.session();
  const std::vector<std::tuple<std::string, std::string, int>> asked{
      {"GET", "/host/v1/sessions", 405},
      {"GET", "/", 404},
      {"GET", "/host/v1/sessionsx", 404},
      {"GET", "/host/v1/sessions/", 404},
      {"GET", "/host/v1/sessions/nobody/orders?after=0", 404},
      {"GET", path + "/orders", 400},
      {"GET", path + "/orders?after=-1", 400},
      {"GET", path + "/orders?after=1x", 400},
      {"GET", path + "/orders?after=99999999999999999999", 400},
      {"POST", path + "/orders?after=0", 404},
      {"GET", path, 404},
      {"POST", path + "/elsewhere", 404},
      {"POST", path + "/reports", 400},
      {"POST", path + "/heartbeat", 400},
  };
  for (const auto& [method, target, status] : asked) {
    CAPTURE(method + " " + target);
    CHECK(site.ask(method, target, "nonsense")->status() == status);
  }
}

TEST_CASE("remote hosts: over TLS a host is who its certificate says") {
  Site site;
  site.peer = {"gateway", "alice"};
  CHECK(site.join(site.joining())->code() == "not_a_host");
  site.peer = {"host", "bob"};
  const std::string bobs = site.session();
  const HostId bob = HostId::derived(sha256("sandtrail-host/bob"));
  CHECK(site.hosts.find(site.host) == nullptr);  // what it says of itself does not count
  REQUIRE(site.hosts.find(bob) != nullptr);
  site.peer = {"host", "mallory"};
  CHECK(site.ask("GET", bobs + "/orders?after=0")->code() == "not_a_host");
  CHECK(site.ask("DELETE", bobs)->code() == "not_a_host");
  CHECK(site.say(bobs, {})->code() == "not_a_host");
  JoinRequest as_bob = site.joining();
  as_bob.host = bob;
  CHECK(site.join(as_bob)->status() == 201);
  CHECK(site.hosts.load().size() == 2);  // bob, and a mallory of his own
  site.peer.reset();
  CHECK(site.ask("DELETE", bobs)->code() == "not_a_host");
  CHECK(site.hosts.find(bob) != nullptr);
}

TEST_CASE("remote hosts: the later session of a host wins, and the earlier one is told so") {
  Site site;
  const std::string first = site.session();
  const auto waiting = site.ask("GET", first + "/orders?after=1");
  CHECK(!waiting->response);
  const ExecutionId id = site.execution();
  const auto before = site.hosts.find(site.host);
  const std::string second = site.session();
  CHECK(waiting->code() == "replaced");
  CHECK(site.ask("GET", first + "/orders?after=0")->code() == "replaced");
  CHECK(site.ask("POST", first + "/heartbeat", "{}")->code() == "replaced");
  before->launch(site.launch(id));
  CHECK(site.unsent == std::vector<ExecutionId>{id});
  CHECK(!site.fetch(second).empty());
  CHECK(site.join(site.joining(5))->status() == 201);
  CHECK(site.join(site.joining(4))->code() == "stale_epoch");
  site.pass(seconds(30));  // also once it is gone
  CHECK(site.join(site.joining(4))->code() == "stale_epoch");
  CHECK(site.join(site.joining(5))->status() == 201);
}

TEST_CASE("remote hosts: an order is repeated until a later one is asked for") {
  Site site;
  const std::string path = site.session();
  const ExecutionId id = site.execution();
  site.hosts.find(site.host)->launch(site.launch(id));
  auto orders = site.fetch(path);
  REQUIRE(orders.size() == 2);  // the owner, then the launch
  CHECK(std::holds_alternative<TakeOverOrder>(orders[0].order));
  CHECK(std::get<LaunchOrder>(orders[1].order).execution == id);
  CHECK(site.fetch(path).size() == 2);
  CHECK(site.fetch(path, orders[0].number).size() == 1);
  CHECK(site.fetch(path, orders[1].number).empty());
  const auto waiting = site.ask("GET", path + "/orders?after=2");
  CHECK(!waiting->response);
  site.hosts.find(site.host)->cancel({0, 7}, id, 1);
  REQUIRE(waiting->status() == 200);
  CHECK(read_orders(waiting->response->body)->size() == 1);
}

TEST_CASE("remote hosts: who waits for orders is answered in the end, and once only") {
  Site site;
  const std::string path = site.session();
  site.fetch(path);
  const auto first = site.ask("GET", path + "/orders?after=1");
  const auto second = site.ask("GET", path + "/orders?after=1");
  CHECK(first->status() == 200);  // it asked anew: nobody waits for this any more
  CHECK(!second->response);
  site.pass(limits::kHostPollWait);
  CHECK(second->status() == 200);
  const auto third = site.ask("GET", path + "/orders?after=1");
  site.remote.stop();
  CHECK(third->code() == "stopping");
  CHECK(site.join(site.joining())->status() == 503);
}

TEST_CASE("remote hosts: a large launch goes alone, and many small ones together") {
  Site site;
  const std::string path = site.session();
  const auto host = site.hosts.find(site.host);
  for (int i = 0; i < 3; ++i) {
    LaunchOrder order = site.launch(site.execution());
    order.input.sealed.bytes = Bytes(800'000, 'x');
    host->launch(std::move(order));
  }
  for (int i = 0; i < 3; ++i) host->launch(site.launch(site.execution()));
  std::int64_t after = 0;
  std::vector<std::size_t> sizes;
  for (auto orders = site.fetch(path); !orders.empty(); orders = site.fetch(path, after)) {
    sizes.push_back(orders.size());
    after = orders.back().number;
  }
  // The owner's announcement, three large ones, and the rest.
  CHECK(sizes == std::vector<std::size_t>{1, 1, 1, 1, 3});
}

TEST_CASE("remote hosts: a host is gone when its lease is over, and not before") {
  Site site;
  const std::string path = site.session();
  const auto session = site.hosts.find(site.host);
  for (int i = 0; i < 10; ++i) {
    site.pass(seconds(14));
    CHECK(site.hosts.find(site.host) != nullptr);
    const Heartbeat beat{1, {}};
    CHECK(site.ask("POST", path + "/heartbeat", json::print(to_json(beat)))->status() == 204);
  }
  const Heartbeat other{2, {}};
  CHECK(site.ask("POST", path + "/heartbeat", json::print(to_json(other)))->code() ==
        "unknown_session");
  site.pass(seconds(16));
  CHECK(site.hosts.find(site.host) == nullptr);
  CHECK(session->holding(0, site.execution(), 1) == Holding::unknown);
  CHECK(site.ask("POST", path + "/heartbeat", json::print(to_json(Heartbeat{1, {}})))->code() ==
        "unknown_session");
}

TEST_CASE("remote hosts: what was never fetched is withdrawn, what may have been is not") {
  Site site;
  const std::string path = site.session();
  const auto host = site.hosts.find(site.host);
  site.fetch(path);
  const ExecutionId fetched = site.execution();
  host->launch(site.launch(fetched));
  CHECK(site.fetch(path, 1).size() == 1);
  const ExecutionId waiting = site.execution();
  host->launch(site.launch(waiting));
  site.pass(seconds(3));
  CHECK(site.unsent.empty());
  CHECK(host->room() == 4);
  site.pass(seconds(1));
  CHECK(site.unsent == std::vector<ExecutionId>{waiting});
  CHECK(host->room() == 0);
  CHECK(host->holding(0, fetched, 1) == Holding::yes);
  for (const NumberedOrder& order : site.fetch(path, 1)) {
    const auto* launch = std::get_if<LaunchOrder>(&order.order);
    REQUIRE(launch != nullptr);
    CHECK(launch->execution == fetched);
  }
  CHECK(host->room() == 4);
  const ExecutionId old = site.execution();
  host->launch(site.launch(old, 9));  // for another epoch
  CHECK(site.unsent.back() == old);
}

TEST_CASE("remote hosts: what is held is certain once the host has answered, and that anew") {
  Site site;
  const std::string path = site.session();
  const auto host = site.hosts.find(site.host);
  const ExecutionId held = site.execution();
  const ExecutionId sent = site.execution();
  const ExecutionId late = site.execution();
  CHECK(host->holding(0, held, 1) == Holding::unknown);
  host->launch(site.launch(sent));
  auto orders = site.fetch(path);
  const std::int64_t asked = orders.at(0).number;
  // A launch ordered before the question that the host does not hold was refused or dropped; one
  // ordered after it need not be in the answer.
  host->take_over({0, 7});
  const std::int64_t again = site.fetch(path, orders.back().number).at(0).number;
  host->launch(site.launch(late));
  CHECK(site.say(path, {TakenOver{asked, 0, {}}})->status() == 204);  // of the first question
  CHECK(host->holding(0, held, 1) == Holding::unknown);
  CHECK(site.say(path, {TakenOver{again, 0, {{held, 1, 1, true}}}})->status() == 204);
  CHECK(host->holding(0, held, 1) == Holding::yes);
  CHECK(host->holding(0, sent, 1) == Holding::no);
  CHECK(host->holding(0, late, 1) == Holding::yes);
  CHECK(host->holding(1, site.execution(), 1) == Holding::unknown);
  host->acknowledge({0, 7}, held, 1);
  CHECK(host->holding(0, held, 1) == Holding::no);
}

TEST_CASE("remote hosts: reports are the session's host's, whatever they say") {
  Site site;
  const std::string path = site.session();
  HostReport report = site.finished(site.execution());
  report.host = HostId::fresh(site.clock, site.random);
  CHECK(site.say(path, {report})->status() == 204);
  REQUIRE(site.reports.size() == 1);
  CHECK(site.reports[0].host == site.host);
}

TEST_CASE("remote hosts: of a host's reports only so much is in memory, and no more") {
  Site site;
  const std::string path = site.session();
  std::size_t taken = 0;
  std::size_t turned_away = 0;
  for (int i = 0; i < 80; ++i) {
    const int status = site.say(path, {site.finished(site.execution(), 800'000)})->status();
    taken += status == 204 ? 1 : 0;
    turned_away += status == 503 ? 1 : 0;
  }
  CHECK(taken == site.reports.size());
  CHECK(taken + turned_away == 80);
  CHECK(taken <= limits::kHostUnappliedBytesMax / 800'000);
  CHECK(taken >= 40);
  site.reports.clear();  // applied
  CHECK(site.say(path, {site.finished(site.execution(), 800'000)})->status() == 204);
}

TEST_CASE("remote hosts: a host that holds too much, or lets orders pile up, is sent away") {
  Site site;
  const std::string path = site.session();
  const auto host = site.hosts.find(site.host);
  SUBCASE("it claims to hold ever more") {
    bool refused = false;
    for (std::int32_t partition = 0; partition < 8 && !refused; ++partition) {
      host->take_over({partition, 7});
      TakenOver taken;
      taken.order = partition + 2;
      taken.partition = partition;
      for (int i = 0; i < 1000; ++i) taken.held.push_back({site.execution(), 1, 1, true});
      refused = site.say(path, {taken})->status() == 400;
    }
    CHECK(refused);
  }
  SUBCASE("it makes up results, and never fetches what is said to them") {
    for (std::size_t i = 0; i <= limits::kHostOrdersQueuedMax; ++i) {
      host->acknowledge({0, 7}, site.execution(), 1);
    }
    site.pass({500});
    CHECK(site.hosts.find(site.host) == nullptr);
  }
}

TEST_CASE("remote hosts: so many hosts may join, and no more") {
  Site site;
  for (std::size_t i = 0; i < limits::kHostsMax; ++i) {
    site.host = HostId::fresh(site.clock, site.random);
    REQUIRE(site.join(site.joining())->status() == 201);
  }
  CHECK(site.join(site.joining())->status() == 201);  // one of them again
  site.host = HostId::fresh(site.clock, site.random);
  CHECK(site.join(site.joining())->code() == "overloaded");
}

TEST_CASE("remote hosts: what it says of its room is believed within its slots") {
  Site site;
  const std::string path = site.session();
  const auto host = site.hosts.find(site.host);
  HostLoad load;
  for (const auto& [elsewhere, room] :
       std::vector<std::pair<std::int64_t, int>>{{0, 4}, {3, 1}, {99, 0}, {-5, 4}}) {
    load.elsewhere = elsewhere;
    site.fetch(path);
    CHECK(site.say(path, {}, load)->status() == 204);
    CHECK(host->room() == room);
  }
  load.elsewhere = 0;
  load.draining = true;
  site.say(path, {}, load);
  CHECK(host->room() == 0);
}

TEST_CASE("remote hosts: nonsense in any shape is an answer, never a crash") {
  Site site;
  const std::string path = site.session();
  SeededRandom chance(1);
  const Bytes good = word_text(site.finished(site.execution()));
  for (int i = 0; i < 3000; ++i) {
    Bytes body = words_text({}, {good});
    for (std::uint64_t n = 1 + chance.below(6); n > 0; --n) {
      const std::size_t at = chance.below(body.size());
      switch (chance.below(3)) {
        case 0:
          body[at] = static_cast<char>(chance.below(256));
          break;
        case 1:
          body.erase(at, chance.below(20));
          break;
        default:
          body.insert(at, body.substr(chance.below(body.size()), chance.below(20)));
      }
      if (body.empty()) break;
    }
    const int status = site.ask("POST", path + "/reports", body)->status();
    const bool known = status == 204 || status == 400;
    CHECK(known);
    site.reports.clear();
  }
  for (const std::string part : {"/orders?after=", "/heartbeat", "/reports", "", "/x"}) {
    site.ask("GET", path + part + chance.bytes(5), chance.bytes(40));
  }
  CHECK(site.hosts.find(site.host) != nullptr);
}
