// SPDX-License-Identifier: Apache-2.0
#include "api.h"
#include "base/limits.h"
#include "commands.h"
#include "listing.h"

namespace sandtrail::cli {
namespace {

struct WebhookOptions {
  std::string argument;
  std::vector<std::string> events;
  std::optional<std::int64_t> count;
};

int list(Session& session, WebhookOptions& o) {
  auto api = server_api(session);
  if (!api.ok()) return session.fail(api.error());
  const auto items = api->list("/v1/webhook-endpoints", o.count.value_or(limits::kPageDefault));
  if (!items.ok()) return session.fail(items.error());
  return show_list(session, *items,
                   {{"ID", "id"},
                    {"ENABLED", "enabled"},
                    {"URL", "url"},
                    {"EVENTS", "events"},
                    {"DISABLED", "disabled_reason"},
                    {"CREATED", "created_at"}});
}

int add(Session& session, WebhookOptions& o) {
  json::object body;
  body["url"] = json::value(std::string_view(o.argument));
  json::array events;
  for (const std::string& event : o.events) events.push_back(json::value(std::string_view(event)));
  if (!events.empty()) body["events"] = std::move(events);
  auto api = server_api(session);
  if (!api.ok()) return session.fail(api.error());
  const auto answer = api->post("/v1/webhook-endpoints", body);
  if (!answer.ok()) return session.fail(answer.error());
  if (!session.globals.json) session.note("keep the secret: it is shown only now");
  return show_one(session, answer->body, {{"id", "id"}, {"url", "url"}, {"secret", "secret"}});
}

int remove(Session& session, WebhookOptions& o) {
  auto api = server_api(session);
  if (!api.ok()) return session.fail(api.error());
  const auto answer = api->remove("/v1/webhook-endpoints/" + query_text(o.argument));
  return answer.ok() ? 0 : session.fail(answer.error());
}

int one_delivery(Session& session, Api& api, const std::string& id) {
  const auto answer = api.get("/v1/deliveries/" + query_text(id));
  if (!answer.ok()) return session.fail(answer.error());
  show_one(session, answer->body,
           {{"id", "id"},
            {"type", "type"},
            {"status", "status"},
            {"execution", "execution"},
            {"endpoint", "endpoint"},
            {"created", "created_at"},
            {"next attempt", "next_attempt_at"},
            {"ended", "ended_at"},
            {"reason", "reason"}});
  if (session.globals.json) return 0;
  const auto* object = answer->body.if_object();
  const json::value* attempts = object == nullptr ? nullptr : object->if_contains("attempts");
  if (attempts == nullptr || !attempts->is_array()) return 0;
  return show_list(session, attempts->get_array(),
                   {{"ATTEMPT", "number"},
                    {"TIME", "time"},
                    {"STATUS", "status"},
                    {"ERROR", "error"},
                    {"TOTAL", "total_us"}});
}

int deliveries(Session& session, WebhookOptions& o) {
  auto api = server_api(session);
  if (!api.ok()) return session.fail(api.error());
  if (o.argument.starts_with("whd_")) return one_delivery(session, *api, o.argument);
  const std::string of =
      o.argument.starts_with("exe_") ? "/v1/executions/" : "/v1/webhook-endpoints/";
  const auto items = api->list(of + query_text(o.argument) + "/deliveries",
                               o.count.value_or(limits::kPageDefault));
  if (!items.ok()) return session.fail(items.error());
  return show_list(session, *items,
                   {{"ID", "id"},
                    {"STATUS", "status"},
                    {"TYPE", "type"},
                    {"EXECUTION", "execution"},
                    {"ATTEMPTS", "attempt_count"},
                    {"NEXT", "next_attempt_at"},
                    {"CREATED", "created_at"}});
}

void count_option(Options& to, WebhookOptions& o) {
  to.number("-n,--limit", o.count, "how many at most; 20 unless given");
}

}  // namespace

Commands webhook_commands() {
  return {
      make_command<WebhookOptions>("webhooks ls", "List webhook endpoints", "sandtrail webhooks ls",
                                   count_option, list),
      make_command<WebhookOptions>(
          "webhooks add", "Send messages to a URL; prints the signing secret, once",
          "sandtrail webhooks add https://example.org/hook\n"
          "sandtrail webhooks add https://example.org/hook --event execution.finished",
          [](Options& to, WebhookOptions& o) {
            to.argument("URL", o.argument, "where the messages go");
            to.texts("--event", o.events, "only messages of this type, like execution.*");
          },
          add),
      make_command<WebhookOptions>(
          "webhooks rm", "Remove a webhook endpoint", "sandtrail webhooks rm whe_…",
          [](Options& to, WebhookOptions& o) { to.argument("ID", o.argument, "of the endpoint"); },
          remove),
      make_command<WebhookOptions>(
          "webhooks deliveries", "Show deliveries of an endpoint or an execution, or one delivery",
          "sandtrail webhooks deliveries whe_…\n"
          "sandtrail webhooks deliveries exe_…\n"
          "sandtrail webhooks deliveries whd_…",
          [](Options& to, WebhookOptions& o) {
            to.argument("ID", o.argument, "of an endpoint, an execution or a delivery");
            count_option(to, o);
          },
          deliveries),
  };
}

}  // namespace sandtrail::cli
