// SPDX-License-Identifier: Apache-2.0
// Every checker finds what it is there for. The core lets no such history through, so here a judge
// takes its place that applies whatever comes, as a broken fold would.
#include <doctest/doctest.h>

#include "crypto/merkle.h"
#include "wire/event_codec.h"
#include "wire/topics.h"
#include "world.h"

using namespace sandtrail;
using namespace sandtrail::sim;

namespace {

constexpr std::int64_t kHold = 1000;  // of the request below, at kPrice, as rating.h defines it

// A log on which anything goes, and checkers that read it.
struct Court {
  Court() : log({}, clock), checkers(log, kEventsPartitions, problems) {
    checkers.judge_by([](Core&, const FoldInput&) { return Judgement(); });
    OrganizationCreated created;
    created.organization = org;
    created.grant = {2 * kHold};
    apply(created);
    apply(PlatformAdopted{0, {1, kPrice}});
  }
  void apply(EventBody body, std::optional<Idempotency> idempotency = {}) {
    append({kEventsTopic, 0}, std::move(body), std::move(idempotency));
  }
  void append(const TopicPartition& where, EventBody body,
              std::optional<Idempotency> idempotency = {}, std::optional<Actor> actor = {}) {
    Event event;
    event.id = EventId::fresh(clock, random);
    event.time = clock.now();
    event.org = org;
    event.idempotency = std::move(idempotency);
    event.actor = std::move(actor);
    event.body = std::move(body);
    auto record = encode_event(event);
    REQUIRE(record.ok());
    log.append(where, std::move(record).value(), {});
    checkers.catch_up();
  }
  void request(std::int64_t attempts_max = 1) {
    ExecutionRequested requested;
    requested.execution = execution;
    requested.limits.wall_ms = 6'000;
    requested.limits.memory_mib = 128;
    requested.limits.cpu_millis = 1000;
    requested.attempts_max = attempts_max;
    apply(requested);
  }
  void assign(std::int64_t attempt = 1, std::int64_t hold = kHold) {
    apply(ExecutionAssigned{execution, attempt, host, 1, "", {hold}, 1});
  }
  void launch(std::int64_t attempt = 1) { checkers.on_launch({execution, attempt, host, 1}); }
  void finish() {
    ExecutionFinished finished;
    finished.execution = execution;
    finished.attempt = 1;
    finished.host_epoch = 1;
    apply(finished);
  }
  void settle(std::int64_t amount) { apply(BillingSettled{execution, 1, {kHold}, {amount}, {}}); }
  void endpoint() {
    WebhookEndpointCreated created;
    created.endpoint = receiver;
    apply(created);
  }
  void schedule(const DeliveryId& id) {
    apply(WebhookScheduled{id, execution, receiver, "execution.finished"});
  }
  void tell(const Bytes& body, bool well) {
    checkers.on_message({delivery.text(), "http://x.example/", body, true, well});
  }
  // Requested, run, ended, with a receiver to be told.
  void live_through() {
    endpoint();
    request();
    assign();
    launch();
    finish();
  }

  ManualClock clock;
  SeededRandom random{3};
  Problems problems;
  MemoryLog log;
  Checkers checkers;
  const OrgId org = OrgId::fresh(clock, random);
  const ExecutionId execution = ExecutionId::fresh(clock, random);
  const HostId host = HostId::fresh(clock, random);
  const EndpointId receiver = EndpointId::fresh(clock, random);
  const DeliveryId delivery = DeliveryId::fresh(clock, random);
};

AttemptFacts attempt(std::int64_t number) {
  AttemptFacts facts;
  facts.number = number;
  return facts;
}

struct Case {
  const char* broken;
  std::function<void(Court&)> live;
  const char* found;
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    CAPTURE(c.broken);
    Court court;
    REQUIRE(court.problems.none());
    c.live(court);
    REQUIRE(!court.problems.none());
    CHECK_MESSAGE(court.problems.all().front().find(c.found) != std::string::npos,
                  court.problems.text());
  }
}

}  // namespace

TEST_CASE("a life without a fault has no problem") {
  Court court;
  court.live_through();
  court.schedule(court.delivery);
  court.tell("done", false);
  court.apply(WebhookAttempted{court.delivery, attempt(1), {}});
  court.tell("done", true);
  court.apply(WebhookDelivered{court.delivery, attempt(2)});
  court.settle(0);
  CHECK_MESSAGE(court.problems.none(), court.problems.text());
}

TEST_CASE("broken executions are found") {
  check({
      {"two ends", [](Court& c) { c.live_through(), c.finish(); }, "ends twice"},
      {"assigned after its end", [](Court& c) { c.live_through(), c.assign(2); },
       "is assigned after its end"},
      {"an attempt is left out", [](Court& c) { c.request(), c.assign(2); }, "not counted"},
      {"an end of nothing", [](Court& c) { c.finish(); }, "was never requested"},
      {"launched before it is assigned", [](Court& c) { c.request(), c.launch(); },
       "is launched before it is assigned"},
      {"launched twice", [](Court& c) { c.request(2), c.assign(), c.launch(), c.launch(); },
       "is launched twice"},
      {"launched more often than asked for",
       [](Court& c) { c.request(), c.assign(), c.launch(), c.assign(2), c.launch(2); },
       "runs more often than its request allows"},
      {"launched by another host",
       [](Court& c) {
         c.request(), c.assign();
         c.checkers.on_launch({c.execution, 1, HostId::fresh(c.clock, c.random), 1});
       },
       "that it was not assigned to"},
      {"a result that nobody ran", [](Court& c) { c.request(), c.assign(), c.finish(); },
       "that no host began"},
      {"two requests of one key",
       [](Court& c) {
         const Idempotency key{{"k"}, {"b"}};
         c.apply(AccessDenied{}, key), c.apply(AccessDenied{}, key);
       },
       "one idempotency key, two applied requests"},
      {"no end", [](Court& c) { c.request(), c.checkers.check_all_over(); }, "has not ended"},
  });
}

TEST_CASE("broken money is found") {
  check({
      {"a wrong hold", [](Court& c) { c.request(), c.assign(1, kHold - 1); }, "has the wrong hold"},
      {"more than there is",
       [](Court& c) {
         c.apply(BillingGranted{c.org, {-kHold - 1}, "oops"});
         c.request(), c.assign();
       },
       "has spent more than it had"},
      {"a wrong charge", [](Court& c) { c.live_through(), c.settle(7); }, "is charged 7, not 0"},
      {"settled twice",
       [](Court& c) {
         c.live_through();
         for (int i = 0; i < 2; ++i) c.settle(0);
       },
       "is settled twice"},
      {"not settled", [](Court& c) { c.live_through(), c.checkers.check_all_over(); },
       "is not settled"},
      {"a ledger entry that makes money",
       [](Court& c) {
         LedgerEntry entry;
         entry.postings = {{Account::available, {5}}, {Account::granted, {-4}}};
         c.checkers.on_entry(entry);
       },
       "does not sum to zero"},
  });
}

TEST_CASE("broken deliveries are found") {
  check({
      {"told before it is scheduled", [](Court& c) { c.live_through(), c.tell("x", true); },
       "which is not scheduled"},
      {"a second delivery to one receiver",
       [](Court& c) {
         c.live_through(), c.schedule(c.delivery);
         c.schedule(DeliveryId::fresh(c.clock, c.random));
       },
       "has a second delivery"},
      {"a repeat that says something else",
       [](Court& c) {
         c.live_through(), c.schedule(c.delivery);
         c.tell("done", false), c.tell("lost", false);
       },
       "says something else"},
      {"a wrong signature",
       [](Court& c) {
         c.live_through(), c.schedule(c.delivery);
         c.checkers.on_message({c.delivery.text(), "http://x.example/", "x", false, true});
       },
       "wrong signature"},
      {"delivered, and nobody took it",
       [](Court& c) {
         c.live_through(), c.schedule(c.delivery), c.tell("done", false);
         c.apply(WebhookDelivered{c.delivery, attempt(1)});
       },
       "nobody has taken it"},
      {"two ends",
       [](Court& c) {
         c.live_through(), c.schedule(c.delivery);
         for (int i = 0; i < 2; ++i) c.apply(WebhookExhausted{c.delivery, "gone", {}});
       },
       "ends twice"},
      {"attempts not counted",
       [](Court& c) {
         c.live_through(), c.schedule(c.delivery);
         c.apply(WebhookAttempted{c.delivery, attempt(2), {}});
       },
       "not counted one by one"},
      {"nobody is told",
       [](Court& c) {
         c.live_through(), c.settle(0);
         c.checkers.check_all_over();
       },
       "has receivers that nobody told"},
  });
}

TEST_CASE("broken erasure is found") {
  const auto key = DataKeyId::derived(Bytes(32, 'k'));
  check({
      {"erased before its end",
       [](Court& c) { c.request(), c.apply(ExecutionErased{c.execution}); },
       "erased before its end"},
      {"a key destroyed before it is erased",
       [key](Court& c) {
         c.live_through(), c.apply(ExecutionKeyDestroyed{c.execution, key});
       },
       "key destroyed before erased"},
  });
}

namespace {

AuditRecorded entry_of(std::int64_t position, std::int64_t previous) {
  AuditRecorded entry;
  entry.source = {kEventsTopic, 0, position, previous};
  return entry;
}

// Says of every checkpoint that it signs this.
struct SignsAnything final : AuditKey {
  std::uint64_t size = 0;
  Bytes root;
  Result<std::pair<std::uint64_t, Bytes>> open(const std::string&) const override {
    return std::pair(size, root);
  }
};

struct SignsNothing final : AuditKey {
  Result<std::pair<std::uint64_t, Bytes>> open(const std::string&) const override {
    return Error{ErrorCode::denied, "not signed by this key", ""};
  }
};

const TopicPartition kAudit{kAuditTopic, 0};

// An audited record, which stands at position 2.
void act(Court& c) {
  Actor actor;
  actor.kind = ActorKind::op;
  c.append({kEventsTopic, 0}, AccessDenied{}, {}, actor);
}

}  // namespace

TEST_CASE("a broken audit log is found") {
  SignsAnything wrong_root;
  wrong_root.size = 1;
  check({
      {"an entry is left out", [](Court& c) { act(c), c.checkers.check_audit(SignsAnything()); },
       "0 audit entries of 1"},
      {"an entry too many",
       [](Court& c) { c.append(kAudit, entry_of(1, -1)), c.checkers.check_audit(SignsAnything()); },
       "audit entries of 0"},
      {"a gap between entries",
       [](Court& c) {
         act(c), c.append(kAudit, entry_of(2, 1)), c.checkers.check_audit(SignsAnything());
       },
       "names the wrong one before it"},
      {"a wrong signature",
       [](Court& c) {
         act(c), c.append(kAudit, entry_of(2, -1)), c.checkers.check_audit(SignsNothing());
       },
       "signature is wrong"},
      {"a checkpoint of fewer entries",
       [](Court& c) {
         act(c), c.append(kAudit, entry_of(2, -1)), c.checkers.check_audit(SignsAnything());
       },
       "leaves entries out"},
      {"a checkpoint of another tree",
       [&wrong_root](Court& c) {
         act(c), c.append(kAudit, entry_of(2, -1)), c.checkers.check_audit(wrong_root);
       },
       "wrong root"},
  });
}

TEST_CASE("folds that differ are found") {
  check({{"another digest at one position",
          [](Court& c) {
            c.checkers.on_digest(kAudit, {3}, "one");
            c.checkers.on_digest(kAudit, {4}, "two");
            REQUIRE(c.problems.none());
            c.checkers.on_digest(kAudit, {3}, "another");
          },
          "two folds of audit/0 differ at 3"}});
}

TEST_CASE("what is wrong with a whole installation is found") {
  struct Broken {
    const char* what;
    std::function<void(World&)> live;
    const char* found;
  };
  const Broken cases[] = {
      {"a row that follows from no record",
       [](World& world) {
         WriteBatch batch;
         Bytes key = kEventsTopic;
         key += Bytes("\0\0\0\0\0Pgateway\0zzz", 17);
         batch.put(key, "1");
         REQUIRE(world.processes[0]->store().write(batch, KvStore::Sync::yes).ok());
       },
       "a rebuild of events/0 differs"},
      {"a key that nothing uses",
       [](World& world) {
         // Too young to be swept, whatever passes.
         const auto id = DataKeyId::fresh(world.shared.clock, world.shared.random);
         const WrappedKey key{id, world.orgs[0], world.shared.clock.now() + days(3), "wrapped"};
         world.shared.keys.put(key, [](const Status&) {});
       },
       "a data key is left that nothing uses"},
      {"a payload that opens though it is erased",
       [](World& world) {
         Order order;
         order.retention = seconds(1);
         const auto id = world.workload.request(*world.processes[0], world.orgs[0], order);
         world.pass(seconds(1));
         const History& row = world.shared.checkers->executions().at(id);
         const auto kept = world.shared.keys.get(row.key);
         REQUIRE(kept.ok());
         world.pass(seconds(20));
         REQUIRE(row.key_destroyed == 1);
         world.shared.keys.put(*kept, [](const Status&) {});
       },
       "can still be opened"},
  };
  for (const Broken& c : cases) {
    CAPTURE(c.what);
    World world(3, 1);
    world.begin();
    world.recover();
    REQUIRE_MESSAGE(world.shared.problems.none(), world.shared.problems.text());
    c.live(world);
    world.check();
    REQUIRE(!world.shared.problems.none());
    CHECK_MESSAGE(world.shared.problems.all().front().find(c.found) != std::string::npos,
                  world.shared.problems.text());
  }
}
