// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "wire/topics.h"
#include "world.h"

using namespace sandtrail;

namespace {

const TopicPartition kAudit{kAuditTopic, 0};

// What the auditor would append; positions chain for each source partition.
class Scribe {
 public:
  explicit Scribe(World& world) : world_(world) {}
  void record(const OrgId& org, const std::string& action, AuditOutcome outcome,
              const std::string& resource, std::optional<KeyId> key = {}) {
    AuditRecorded entry;
    entry.organization = org;
    entry.time = world_.clock.now();
    entry.event = "evt_x";
    entry.action = action;
    entry.resource = resource;
    entry.outcome = outcome;
    entry.actor_copy.key = key;
    entry.actor_copy.name = "somebody";
    entry.source = {"events", 0, last_ + 1, last_};
    ++last_;
    world_.append(OrgId(), entry, {}, kAudit);
    world_.clock.advance(seconds(10));
  }

 private:
  World& world_;
  std::int64_t last_ = -1;
};

std::vector<std::int64_t> indices(const Reply& reply) {
  REQUIRE(reply.status == 200);
  std::vector<std::int64_t> out;
  const json::value body = reply.json();
  for (const auto& item : body.as_object().at("data").as_array()) {
    out.push_back(item.as_object().at("index").as_int64());
  }
  return out;
}

}  // namespace

TEST_CASE("audit entries of the organisation are found by what they are about") {
  World world;
  const Tenant tenant = world.tenant();
  const Tenant other = world.tenant();
  const KeyId key = KeyId::derived("0123456789abcdef");
  Scribe scribe(world);
  const UnixMs start = world.clock.now();
  scribe.record(tenant.org, "execution.create", AuditOutcome::success, "exe_1", key);
  scribe.record(other.org, "execution.create", AuditOutcome::success, "exe_2");
  scribe.record(tenant.org, "execution.cancel", AuditOutcome::denied, "exe_1");
  scribe.record(tenant.org, "api_key.create", AuditOutcome::success, "key_1", key);
  using Indices = std::vector<std::int64_t>;
  const std::string twenty = rfc3339(start + seconds(20));
  const struct {
    std::string query;
    Indices wanted;
  } rows[] = {{"", {3, 2, 0}},
              {"action=execution.create", {0}},
              {"outcome=denied", {2}},
              {"resource=exe_1", {2, 0}},
              {"key=" + key.text(), {3, 0}},
              {"since=" + twenty, {3, 2}},
              {"until=" + twenty, {0}},
              {"resource=exe_1&outcome=success", {0}}};
  for (const auto& row : rows) {
    CAPTURE(row.query);
    CHECK(indices(world.call("GET", "/v1/audit/entries?" + row.query, tenant.api_key)) ==
          row.wanted);
  }
  const Reply page = world.call("GET", "/v1/audit/entries?limit=2", tenant.api_key);
  CHECK(indices(page) == Indices{3, 2});
  CHECK(indices(world.call("GET", "/v1/audit/entries?limit=2&cursor=" + page.text("next_cursor"),
                           tenant.api_key)) == Indices{0});
  CHECK(indices(world.call("GET", "/v1/audit/entries", tenant.api_key, "",
                           {{"Sandtrail-Position", "audit/0/3"}})) == Indices{3, 2, 0});
  for (const std::string bad : {"outcome=maybe", "key=x", "since=yesterday", "until=1"}) {
    CAPTURE(bad);
    CHECK(world.call("GET", "/v1/audit/entries?" + bad, tenant.api_key).code() ==
          "invalid_parameter");
  }
}

TEST_CASE("the newest checkpoint is served as it was signed") {
  World world;
  const Tenant tenant = world.tenant();
  const Reply none = world.call("GET", "/v1/audit/checkpoint", tenant.api_key);
  CHECK(none.status == 404);
  CHECK(none.code() == "no_checkpoint");
  Scribe(world).record(tenant.org, "execution.create", AuditOutcome::success, "exe_1");
  const std::string note = "example.org/log\n1\nabc\n\n\xe2\x80\x94 example.org x\n";
  world.append(OrgId(), AuditCheckpointSigned{1, note}, DeciderRole::auditor, kAudit);
  const Reply shown = world.call("GET", "/v1/audit/checkpoint", tenant.api_key);
  CHECK(shown.status == 200);
  CHECK(shown.field("Content-Type") == "text/plain; charset=utf-8");
  CHECK(shown.body == note);
}
