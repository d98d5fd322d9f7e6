// SPDX-License-Identifier: Apache-2.0
// keys, credits, audit ls, audit checkpoint
#include "api.h"
#include "base/limits.h"
#include "commands.h"
#include "listing.h"

namespace sandtrail::cli {
namespace {

struct ListOptions {
  std::optional<std::int64_t> count;
  std::string action, outcome, resource, key, since, until;
};

int list_of(Session& session, const std::string& target, const ListOptions& o,
            const std::vector<Column>& columns) {
  auto api = server_api(session);
  if (!api.ok()) return session.fail(api.error());
  const auto items = api->list(target, o.count.value_or(limits::kPageDefault));
  return items.ok() ? show_list(session, *items, columns) : session.fail(items.error());
}

void count_option(Options& to, ListOptions& o) {
  to.number("-n,--limit", o.count, "how many at most; 20 unless given");
}

int list_keys(Session& session, ListOptions& o) {
  return list_of(session, "/v1/api-keys", o,
                 {{"ID", "id"},
                  {"NAME", "name"},
                  {"ROLE", "role"},
                  {"ENDS WITH", "hint"},
                  {"CREATED", "created_at"},
                  {"EXPIRES", "expires_at"}});
}

struct KeyOptions {
  std::string argument;
  std::string role;
  std::string expires;
};

int create_key(Session& session, KeyOptions& o) {
  json::object body;
  body["name"] = json::value(std::string_view(o.argument));
  if (!o.role.empty()) body["role"] = json::value(std::string_view(o.role));
  if (!o.expires.empty()) body["expires_at"] = json::value(std::string_view(o.expires));
  auto api = server_api(session);
  if (!api.ok()) return session.fail(api.error());
  const auto answer = api->post("/v1/api-keys", body);
  if (!answer.ok()) return session.fail(answer.error());
  if (session.globals.json) return show_one(session, answer->body, {});
  session.note(shown(answer->body, "id") + " as " + shown(answer->body, "role") +
               "; keep the key: it is shown only now");
  session.line(shown(answer->body, "api_key"));
  return 0;
}

int revoke_key(Session& session, KeyOptions& o) {
  auto api = server_api(session);
  if (!api.ok()) return session.fail(api.error());
  const auto answer = api->remove("/v1/api-keys/" + query_text(o.argument));
  return answer.ok() ? 0 : session.fail(answer.error());
}

int balance(Session& session, NoOptions&) {
  auto api = server_api(session);
  if (!api.ok()) return session.fail(api.error());
  const auto answer = api->get("/v1/billing/balance");
  if (!answer.ok()) return session.fail(answer.error());
  return show_one(
      session, answer->body,
      {{"granted", "granted_microcredits"},
       {"settled", "settled_microcredits"},
       {"balance", "balance_microcredits"},
       {"held", "held_microcredits"},
       {"available", "available_microcredits"},
       {"microcredits per GiB core second", "rate_card.microcredits_per_gib_core_second"},
       {"position", "position"}});
}

// The postings of a double-entry entry as "available +1.5".
std::string postings_of(const json::value& entry) {
  const auto* object = entry.if_object();
  const json::value* postings = object == nullptr ? nullptr : object->if_contains("postings");
  std::string out;
  if (postings == nullptr || !postings->is_array()) return out;
  for (const json::value& posting : postings->get_array()) {
    const std::string amount = cell(posting, "amount_microcredits");
    out += (out.empty() ? "" : ", ") + shown(posting, "account") +
           (amount.starts_with('-') ? " " : " +") + amount;
  }
  return out;
}

int ledger(Session& session, ListOptions& o) {
  auto api = server_api(session);
  if (!api.ok()) return session.fail(api.error());
  const auto items = api->list("/v1/billing/ledger", o.count.value_or(limits::kPageDefault));
  if (!items.ok()) return session.fail(items.error());
  json::array entries = *items;
  if (!session.globals.json) {
    for (json::value& entry : entries) {
      const std::string text = postings_of(entry);
      if (entry.is_object()) entry.get_object()["postings"] = json::value(std::string_view(text));
    }
  }
  return show_list(session, entries,
                   {{"TIME", "time"},
                    {"KIND", "kind"},
                    {"EXECUTION", "execution"},
                    {"POSTINGS", "postings"},
                    {"EVENT", "event"}});
}

void audit_options(Options& to, ListOptions& o) {
  count_option(to, o);
  to.text("--action", o.action, "only this action, like execution.create");
  to.text("--outcome", o.outcome, "success, failure or denied");
  to.text("--resource", o.resource, "only about the thing of this id");
  to.text("--key", o.key, "only by the API key of this id");
  to.text("--since", o.since, "from this time on, RFC 3339 in UTC");
  to.text("--until", o.until, "before this time");
}

int list_audit(Session& session, ListOptions& o) {
  const std::string query = query_of({{"action", o.action},
                                      {"outcome", o.outcome},
                                      {"resource", o.resource},
                                      {"key", o.key},
                                      {"since", o.since},
                                      {"until", o.until}});
  return list_of(session, "/v1/audit/entries" + query, o,
                 {{"INDEX", "index"},
                  {"TIME", "time"},
                  {"ACTION", "action"},
                  {"OUTCOME", "outcome"},
                  {"REASON", "reason"},
                  {"COUNT", "count"},
                  {"BY", "actor.name"},
                  {"RESOURCE", "resource"},
                  {"SOURCE", "source"}});
}

int checkpoint(Session& session, NoOptions&) {
  auto api = server_api(session);
  if (!api.ok()) return session.fail(api.error());
  const auto answer = api->get("/v1/audit/checkpoint", {{"Accept", "text/plain"}});
  if (!answer.ok()) return session.fail(answer.error());
  if (!session.globals.json) {
    session.print(answer->text);
    return 0;
  }
  json::object out;
  out["note"] = json::value(std::string_view(answer->text));
  session.document(out);
  return 0;
}

void no_options(Options&, NoOptions&) {}

Commands key_commands() {
  return {
      make_command<ListOptions>("keys ls", "List API keys", "sandtrail keys ls", count_option,
                                list_keys),
      make_command<KeyOptions>(
          "keys create", "Make an API key; prints its text, once",
          "sandtrail keys create ci --role member\n"
          "sandtrail keys create audit --role auditor --expires 2030-01-01T00:00:00Z",
          [](Options& to, KeyOptions& o) {
            to.argument("NAME", o.argument, "for people");
            to.text("--role", o.role, "viewer, member, admin or auditor; member unless given");
            to.text("--expires", o.expires, "RFC 3339 in UTC; never unless given");
          },
          create_key),
      make_command<KeyOptions>(
          "keys revoke", "Revoke an API key", "sandtrail keys revoke key_…",
          [](Options& to, KeyOptions& o) { to.argument("ID", o.argument, "of the key"); },
          revoke_key),
  };
}

}  // namespace

Commands account_commands() {
  Commands out = key_commands();
  out.push_back(make_command<NoOptions>("credits balance", "Show the credits",
                                        "sandtrail credits balance", no_options, balance));
  out.push_back(make_command<ListOptions>("credits ledger", "List the ledger, newest first",
                                          "sandtrail credits ledger -n 100", count_option, ledger));
  out.push_back(make_command<ListOptions>(
      "audit ls", "List audit entries of the organisation, newest first",
      "sandtrail audit ls --outcome denied\n"
      "sandtrail audit ls --action api_key.create --since 2030-01-01T00:00:00Z",
      audit_options, list_audit));
  out.push_back(make_command<NoOptions>(
      "audit checkpoint", "Print the newest signed checkpoint of the audit log",
      "sandtrail audit checkpoint > checkpoint.txt", no_options, checkpoint));
  return out;
}

}  // namespace sandtrail::cli
