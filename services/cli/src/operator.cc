// SPDX-License-Identifier: Apache-2.0
// org, effects: through the operator's socket.
#include "api.h"
#include "base/limits.h"
#include "commands.h"
#include "listing.h"

namespace sandtrail::cli {
namespace {

json::value text(std::string_view content) {
  return json::value(content);
}

const std::vector<Column> kOrganization{{"ID", "id"},
                                        {"NAME", "name"},
                                        {"AVAILABLE", "available_microcredits"},
                                        {"HELD", "held_microcredits"},
                                        {"SETTLED", "settled_microcredits"},
                                        {"QUEUED", "queued"},
                                        {"RUNNING", "running"},
                                        {"KEYS", "api_keys"},
                                        {"CREATED", "created_at"}};

struct OrgOptions {
  std::string argument;
  std::string amount;
  std::string reason;
  std::optional<std::int64_t> queued_max, running_max, count;
};

int create_org(Session& session, OrgOptions& o) {
  json::object body;
  body["name"] = text(o.argument);
  if (!o.amount.empty()) {
    if (!parse_credits(o.amount)) return session.usage("no amount of credits: " + o.amount);
    body["grant_credits"] = text(o.amount);
  }
  auto api = operator_api(session);
  if (!api.ok()) return session.fail(api.error());
  const json::value sent(std::move(body));
  const auto answer = api->post_once("/operator/organizations", &sent);
  if (!answer.ok()) return session.fail(answer.error());
  if (!session.globals.json) session.note("keep key and secret: they are shown only now");
  return show_one(session, answer->body,
                  {{"organization", "organization.id"},
                   {"name", "organization.name"},
                   {"available", "organization.available_microcredits"},
                   {"api key", "api_key"},
                   {"callback secret", "callback_secret"}});
}

int list_orgs(Session& session, OrgOptions& o) {
  auto api = operator_api(session);
  if (!api.ok()) return session.fail(api.error());
  const auto items = api->list("/operator/organizations", o.count.value_or(limits::kPageDefault));
  return items.ok() ? show_list(session, *items, kOrganization) : session.fail(items.error());
}

// Posts something about one organisation and shows it.
int change_org(Session& session, const std::string& target, const json::value& body,
               bool idempotent) {
  auto api = operator_api(session);
  if (!api.ok()) return session.fail(api.error());
  const auto answer = idempotent ? api->post(target, body) : api->post_once(target, &body);
  if (!answer.ok()) return session.fail(answer.error());
  return show_one(session, answer->body,
                  {{"organization", "id"},
                   {"name", "name"},
                   {"available", "available_microcredits"},
                   {"granted", "granted_microcredits"},
                   {"queued at most", "limits.queued_max"},
                   {"running at most", "limits.running_max"}});
}

int grant(Session& session, OrgOptions& o) {
  if (o.reason.empty()) return session.usage("give a --reason");
  if (!parse_credits(o.amount)) return session.usage("no amount of credits: " + o.amount);
  json::object body;
  body["amount_credits"] = text(o.amount);
  body["reason"] = text(o.reason);
  return change_org(session, "/operator/organizations/" + query_text(o.argument) + "/grants", body,
                    true);
}

int limit(Session& session, OrgOptions& o) {
  json::object body;
  if (o.queued_max) body["queued_max"] = *o.queued_max;
  if (o.running_max) body["running_max"] = *o.running_max;
  if (body.empty()) return session.usage("give --queued or --running");
  return change_org(session, "/operator/organizations/" + query_text(o.argument) + "/limits", body,
                    false);
}

int list_effects(Session& session, NoOptions&) {
  auto api = operator_api(session);
  if (!api.ok()) return session.fail(api.error());
  const auto answer = api->get("/operator/effects");
  if (!answer.ok()) return session.fail(answer.error());
  const auto* object = answer->body.if_object();
  const json::value* data = object == nullptr ? nullptr : object->if_contains("data");
  return show_list(session, data != nullptr && data->is_array() ? data->get_array() : json::array(),
                   {{"TOPIC", "topic"},
                    {"PARTITION", "partition"},
                    {"ROLE", "role"},
                    {"EFFECT", "effect"},
                    {"SINCE", "since"},
                    {"SKIPPED", "skipped"},
                    {"ERROR", "error"}});
}

struct EffectOptions {
  std::string where;
  std::string role;
  std::string effect;
};

int resolve(Session& session, const EffectOptions& o, std::string_view action) {
  const auto slash = o.where.rfind('/');
  const std::string digits = slash == std::string::npos ? "" : o.where.substr(slash + 1);
  if (digits.empty() || digits.size() > 4 ||
      digits.find_first_not_of("0123456789") != std::string::npos) {
    return session.usage("no partition like events/2: " + o.where);
  }
  json::object body;
  body["topic"] = text(o.where.substr(0, slash));
  body["partition"] = std::stoll(digits);
  body["role"] = text(o.role);
  body["effect"] = text(o.effect);
  body["action"] = text(action);
  auto api = operator_api(session);
  if (!api.ok()) return session.fail(api.error());
  const json::value sent(std::move(body));
  const auto answer = api->post_once("/operator/effects/resolve", &sent);
  if (!answer.ok()) return session.fail(answer.error());
  return show_one(session, answer->body, {{"position", "position"}});
}

int retry(Session& session, EffectOptions& o) {
  return resolve(session, o, "retry");
}
int skip(Session& session, EffectOptions& o) {
  return resolve(session, o, "skip");
}

void no_options(Options&, NoOptions&) {}

void effect_options(Options& to, EffectOptions& o) {
  to.argument("PARTITION", o.where, "where it is parked, like events/2");
  to.argument("ROLE", o.role, "whose it is");
  to.argument("EFFECT", o.effect, "its id");
}

Commands org_commands() {
  return {
      make_command<OrgOptions>(
          "org create", "Make an organisation with its first API key",
          "sandtrail org create acme --credits 500",
          [](Options& to, OrgOptions& o) {
            to.argument("NAME", o.argument, "for people");
            to.text("--credits", o.amount, "to begin with");
          },
          create_org),
      make_command<OrgOptions>(
          "org ls", "List organisations", "sandtrail org ls",
          [](Options& to, OrgOptions& o) {
            to.number("-n,--limit", o.count, "how many at most; 20 unless given");
          },
          list_orgs),
      make_command<OrgOptions>(
          "org grant", "Give credits", "sandtrail org grant org_… 100 --reason 'invoice 17'",
          [](Options& to, OrgOptions& o) {
            to.argument("ID", o.argument, "of the organisation");
            to.argument("CREDITS", o.amount, "how many");
            to.text("--reason", o.reason, "for the ledger and the audit log (required)");
          },
          grant),
      make_command<OrgOptions>(
          "org limits", "Change limits of an organisation",
          "sandtrail org limits org_… --running 32",
          [](Options& to, OrgOptions& o) {
            to.argument("ID", o.argument, "of the organisation");
            to.number("--queued", o.queued_max, "executions that wait at most");
            to.number("--running", o.running_max, "executions that run at once");
          },
          limit),
  };
}

}  // namespace

Commands operator_commands() {
  Commands out = org_commands();
  out.push_back(make_command<NoOptions>("effects ls", "List effects that need an operator",
                                        "sandtrail effects ls", no_options, list_effects));
  out.push_back(make_command<EffectOptions>("effects retry", "Try a parked effect again",
                                            "sandtrail effects retry events/2 webhooks EFFECT",
                                            effect_options, retry));
  out.push_back(make_command<EffectOptions>("effects skip", "Give a parked effect up",
                                            "sandtrail effects skip events/2 webhooks EFFECT",
                                            effect_options, skip));
  return out;
}

}  // namespace sandtrail::cli
