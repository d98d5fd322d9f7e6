// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include <doctest/doctest.h>

#include <future>

#include "domain/rating.h"
#include "wire/event_codec.h"
#include "wire/topics.h"

namespace sandtrail {
namespace {

const HostId kHost = HostId::derived("0123456789abcdef");

GatewayOptions completed(GatewayOptions options) {
  options.threads = false;
  if (options.languages.empty()) {
    ExecutionLimits roomy;
    roomy.memory_mib = 512;
    options.languages = {{"python", {}, "main.py"}, {"java", roomy, "Main.java"}};
  }
  return options;
}

RuntimeOptions runtime_options() {
  RuntimeOptions options;
  options.events_partitions = 2;
  return options;
}

}  // namespace

World::World(GatewayOptions options)
    : log({}, clock),
      keyring(SecretBytes(Bytes(32, 'k')), key_store, clock, random),
      payloads(keyring, objects),
      runtime(runtime_options(), log, kv, clock, random),
      gateway(completed(std::move(options)),
              {runtime, log, &keyring, &payloads, clock, random,
               [this](std::function<void()> task) { worker.post(std::move(task)); }, &live}) {
  runtime.add(std::make_unique<ReadModel>());
  runtime.add(gateway.observer());
  ST_ASSERT(runtime.start().ok());
  const Deadline deadline;
  while (!runtime.not_ready_because().empty()) {
    ST_ASSERT(!deadline.over());
    std::this_thread::yield();
  }
  public_ = gateway.public_handler();
  operator_ = gateway.operator_handler();
  admin_ = gateway.admin_handler();
}

World::~World() {
  gateway.stop();
  runtime.stop();
  worker.finish();
}

Pending World::send_to(const http::Handler& handler, const std::string& method,
                       const std::string& target, const std::string& body, HeaderList headers) {
  http::Request request;
  request.method = method;
  request.target = target;
  const std::size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string::npos) request.query = target.substr(mark + 1);
  request.peer_address = "192.0.2.7";
  for (auto& [name, value] : headers) request.fields.add(std::move(name), std::move(value));
  if (!body.empty() && !request.fields.has("Content-Type")) {
    request.fields.add("Content-Type", "application/json");
  }
  request.body = body;
  const auto responder = std::make_shared<FakeResponder>();
  responder->outcome = std::make_shared<FakeResponder::Outcome>();
  const auto outcome = responder->outcome;
  handler(std::move(request), responder);
  return Pending(outcome);
}

Pending World::send(const std::string& method, const std::string& target, const std::string& key,
                    const std::string& body, HeaderList headers) {
  if (!key.empty()) headers.emplace_back("Authorization", "Bearer " + key);
  return send_to(public_, method, target, body, std::move(headers));
}

Reply World::call(const std::string& method, const std::string& target, const std::string& key,
                  const std::string& body, HeaderList headers) {
  return send(method, target, key, body, std::move(headers)).get();
}

Reply World::as_operator(const std::string& method, const std::string& target,
                         const std::string& body, HeaderList headers) {
  return send_to(operator_, method, target, body, std::move(headers)).get();
}

Reply World::as_admin(const std::string& target) {
  return send_to(admin_, "GET", target, "", {}).get();
}

Tenant World::tenant(const std::string& grant_credits) {
  const Reply made = as_operator("POST", "/operator/organizations",
                                 R"({"name":"acme","grant_credits":")" + grant_credits + "\"}");
  REQUIRE(made.status == 201);
  Tenant tenant;
  const json::value body = made.json();
  const auto& organization = body.as_object().at("organization").as_object();
  tenant.org = OrgId::parse(json::text_at(organization, "id")).value();
  tenant.api_key = made.text("api_key");
  tenant.callback_secret = made.text("callback_secret");
  adopt_card(runtime.home(tenant.org));
  return tenant;
}

std::string World::new_key(const Tenant& tenant, const std::string& role) {
  const Reply made = call("POST", "/v1/api-keys", tenant.api_key,
                          R"({"name":"a )" + role + R"(","role":")" + role + "\"}");
  REQUIRE(made.status == 201);
  return made.text("api_key");
}

void World::append(const OrgId& org, EventBody body, std::optional<DeciderRole> role,
                   std::optional<TopicPartition> where) {
  const TopicPartition at = where.value_or(runtime.home(org));
  Event event;
  if (role) {
    auto& epoch = epochs_[{at, *role}];
    if (epoch == 0) {
      epoch = 1;
      OwnerClaimed claim;
      claim.role = *role;
      claim.epoch = 1;
      append(OrgId(), claim, {}, at);
    }
    event.decision = Decision{*role, epoch};
  }
  event.id = EventId::fresh(clock, random);
  event.time = clock.now();
  event.org = org;
  event.source = "/test";
  event.body = std::move(body);
  auto record = encode_event(event);
  REQUIRE(record.ok());
  // Another thread may be at work on the log, and do this append after the call has returned.
  std::promise<AppendOutcome> outcome;
  log.append(at, std::move(record).value(),
             [&outcome](const AppendOutcome& given) { outcome.set_value(given); });
  REQUIRE(outcome.get_future().get().committed());
  folded(at);
}

void World::folded(const TopicPartition& where) {
  const Position high = log.marks(where)->high;
  const Deadline deadline;
  while (look_at<Position>(where, [](const PartitionView& view) { return view.next(); }) < high) {
    REQUIRE(!deadline.over());
    std::this_thread::yield();
  }
}

void World::until(const TopicPartition& where, std::function<bool(const CoreState&)> holds) {
  const Deadline deadline;
  while (!look<bool>(where, holds)) {
    REQUIRE(!deadline.over());
    std::this_thread::yield();
  }
}

void World::until_waiting(std::int64_t requests, std::int64_t streams) {
  const Deadline deadline;
  while (true) {
    const Reply reply = as_operator("GET", "/operator/status");
    const json::value status = reply.json();
    const auto& counts = status.as_object().at("gateway").as_object();
    if (counts.at("waiting_requests").to_number<std::int64_t>() == requests &&
        counts.at("open_streams").to_number<std::int64_t>() == streams) {
      return;
    }
    REQUIRE_MESSAGE(!deadline.over(), reply.body);
    std::this_thread::yield();
  }
}

std::vector<Event> events_in(EventLog& log, const TopicPartition& where) {
  std::vector<Event> out;
  auto reader = log.open_reader(where, {0});
  ST_ASSERT(reader.ok());
  while (true) {
    auto batch = (*reader)->poll(1 << 20);
    ST_ASSERT(batch.ok());
    if (batch->records.empty()) return out;
    for (const StoredRecord& stored : batch->records) {
      auto event = decode_event(stored.record);
      if (auto* decoded = std::get_if<Event>(&event)) out.push_back(std::move(*decoded));
    }
  }
}

void World::adopt_card(const TopicPartition& where) {
  const bool there =
      look<bool>(where, [](const CoreState& state) { return state.meta.rate_card > 0; });
  if (there) return;
  append(OrgId(), PlatformAdopted{0, RateCard{1, {1'000'000}}}, DeciderRole::billing, where);
}

void World::assign(const Tenant& tenant, const ExecutionId& id, std::int64_t attempt) {
  const auto home = runtime.home(tenant.org);
  const auto hold = look<MicroCredits>(home, [&id](const CoreState& state) {
    return worst_case(*state.card(1), state.executions.find(id)->limits);
  });
  append(tenant.org, ExecutionAssigned{id, attempt, kHost, 1, "10.0.0.1:4000", hold, 1},
         DeciderRole::launcher);
}

void World::start(const Tenant& tenant, const ExecutionId& id, std::int64_t attempt) {
  append(tenant.org, ExecutionStarted{id, attempt, 1});
}

void World::finish(const Tenant& tenant, const ExecutionId& id, const std::string& out,
                   std::int64_t attempt) {
  const auto home = runtime.home(tenant.org);
  const auto key = look<DataKeyId>(
      home, [&id](const CoreState& state) { return state.executions.find(id)->key; });
  ExecutionOutput output;
  output.out.bytes = out;
  output.err.bytes = "warning\n";
  ExecutionFinished finished;
  finished.execution = id;
  finished.attempt = attempt;
  finished.host_epoch = 1;
  finished.verdict = Verdict::ok;
  finished.cause = "exit";
  finished.decided_by = "program";
  finished.exit_code = 0;
  finished.usage = {1'500'000, 900'000, 8 << 20};
  finished.timings = {1000, 0, 1'499'000};
  finished.out = {static_cast<std::int64_t>(out.size()), static_cast<std::int64_t>(out.size()),
                  false};
  finished.err = {8, 8, false};
  finished.isolation = "process";
  finished.controls = {"seccomp"};
  auto sealed = payloads.seal_json(key, {"output", std::to_string(attempt)}, output);
  REQUIRE(sealed.ok());
  finished.payload = std::move(sealed).value();
  append(tenant.org, finished);
}

void World::settle(const Tenant& tenant, const ExecutionId& id) {
  const auto home = runtime.home(tenant.org);
  const auto event = look<BillingSettled>(home, [&id](const CoreState& state) {
    const ExecutionRow& row = *state.executions.find(id);
    BillingSettled settled{id, row.rate_card, row.hold, {}, {}};
    if (row.status == ExecutionStatus::finished) {
      const RatedLine line = rate(*state.card(row.rate_card), row.limits, row.wall_us);
      settled.amount = line.amount;
      settled.lines = {line};
    }
    return settled;
  });
  append(tenant.org, event, DeciderRole::billing);
}

void World::run_to_end(const Tenant& tenant, const ExecutionId& id, const std::string& out) {
  assign(tenant, id);
  start(tenant, id);
  finish(tenant, id, out);
  settle(tenant, id);
}

std::size_t keys_in(const World& world) {
  std::size_t count = 0;
  const Status listed = world.key_store.list([&count](const WrappedKey&) {
    ++count;
    return true;
  });
  REQUIRE(listed.ok());
  return count;
}

void until_keys(const World& world, std::size_t count) {
  const Deadline deadline;
  while (keys_in(world) != count) {
    REQUIRE(!deadline.over());
    std::this_thread::yield();
  }
}

std::string python(const std::string& more) {
  return "{\"language\":\"python\",\"code\":\"print('hello')\"" + more + "}";
}

ExecutionId id_of(const Reply& reply) {
  const auto id = ExecutionId::parse(reply.text("id"));
  REQUIRE(id.has_value());
  return *id;
}

}  // namespace sandtrail
