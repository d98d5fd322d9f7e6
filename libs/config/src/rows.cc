// SPDX-License-Identifier: Apache-2.0
#include "rows.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/limits.h"
#include "cluster_rows.h"
#include "row_kinds.h"

namespace sandtrail::config {
namespace {

Row retention_row() {
  const std::string allowed = span_text(limits::kRetentionMin) + " to " +
                              span_text(limits::kRetentionMax) + ", or \"forever\"";
  return {
      "executions.default_retention",
      Kind::text,
      "span (ms, s, m, h, d), " + allowed,
      "How long after its end the payloads of an execution are kept if its request does not say.",
      [=](Config& config, const Raw& raw) -> std::string {
        const auto* value = as<std::string>(raw);
        const auto span = value == nullptr ? std::nullopt : parse_span(*value);
        const bool forever = value != nullptr && *value == "forever";
        if (!forever && (!span || *span < limits::kRetentionMin || *span > limits::kRetentionMax)) {
          return "must be a span like \"24h\", " + allowed;
        }
        config.executions.default_retention = span;
        return "";
      },
      [](const Config& config) {
        const auto& span = config.executions.default_retention;
        return toml_text(span ? span_text(*span) : "forever");
      }};
}

Row cidrs_row() {
  return {"webhooks.allow_cidrs",
          Kind::texts,
          "list of networks, at most " + std::to_string(limits::kAllowedNetworksMax),
          "Networks that may be called although they are private, like \"10.1.0.0/16\".",
          [](Config& config, const Raw& raw) -> std::string {
            const auto* values = as<std::vector<std::string>>(raw);
            if (values == nullptr || values->size() > limits::kAllowedNetworksMax) {
              return "must be a list of at most " + std::to_string(limits::kAllowedNetworksMax) +
                     " texts";
            }
            for (const std::string& value : *values) {
              if (!is_cidr(value)) return toml_text(value) + " is no network like \"10.1.0.0/16\"";
            }
            config.webhooks.allow_cidrs = *values;
            return "";
          },
          [](const Config& config) {
            std::string out;
            for (const std::string& value : config.webhooks.allow_cidrs) {
              out += (out.empty() ? "" : ", ") + toml_text(value);
            }
            return "[" + out + "]";
          }};
}

Row schedule_row() {
  const std::int64_t seconds_max = limits::kWebhookRetryDelayMax.count / 1000;
  const std::string allowed = "1 to " + std::to_string(limits::kWebhookRetriesMax) +
                              " integers, each 1 to " + std::to_string(seconds_max);
  return {"webhooks.retry_schedule",
          Kind::integers,
          "list of seconds: " + allowed,
          "Waits before the second, third … attempt of a delivery; its length decides how many.",
          [=](Config& config, const Raw& raw) -> std::string {
            const auto* values = as<std::vector<std::int64_t>>(raw);
            const bool fine = values != nullptr && !values->empty() &&
                              values->size() <= limits::kWebhookRetriesMax &&
                              std::all_of(values->begin(), values->end(), [=](std::int64_t value) {
                                return value >= 1 && value <= seconds_max;
                              });
            if (!fine) return "must be a list of seconds: " + allowed;
            config.webhooks.retry_schedule.clear();
            for (const auto value : *values) {
              config.webhooks.retry_schedule.push_back(seconds(value));
            }
            return "";
          },
          [](const Config& config) {
            std::string out;
            for (const Millis span : config.webhooks.retry_schedule) {
              out += (out.empty() ? "" : ", ") + std::to_string(span.count / 1000);
            }
            return "[" + out + "]";
          }};
}

// The name of a key in a signed note: C2SP signed-note.
std::string origin_problem(const std::string& value) {
  const bool fine = !value.empty() && value.size() <= limits::kNameBytesMax &&
                    std::all_of(value.begin(), value.end(),
                                [](char c) { return c > ' ' && c < '\x7f' && c != '+'; });
  return fine ? "" : "must be printable ASCII without spaces and +, at most 128 bytes";
}

constexpr std::array<std::pair<LogLevel, std::string_view>, 5> kLevels{{{LogLevel::debug, "debug"},
                                                                        {LogLevel::info, "info"},
                                                                        {LogLevel::warn, "warn"},
                                                                        {LogLevel::error, "error"},
                                                                        {LogLevel::off, "off"}}};
constexpr std::array<std::pair<LogFormat, std::string_view>, 3> kFormats{
    {{LogFormat::automatic, "auto"}, {LogFormat::json, "json"}, {LogFormat::text, "text"}}};

std::vector<Row> server_rows() {
  return {
      listen("server.listen", false, "Where the API is served.", ST_MEMBER(server.listen)),
      listen("server.admin_listen", true,
             "Where health and metrics are served, without authentication: keep it private.",
             ST_MEMBER(server.admin_listen)),
      text_row("server.public_url", "URL, or \"\"",
               "How clients reach the API; in links of messages. Default: the listening address.",
               ST_MEMBER(server.public_url), url_problem),
      path("data_dir",
           "Where log, stores and keys live. Default: $XDG_DATA_HOME/sandtrail, else "
           "~/.local/share/sandtrail.",
           ST_MEMBER(data_dir)),
      choice("logging.level", kLevels, "The least level of lines on standard error.",
             ST_MEMBER(logging.level)),
      choice("logging.format", kFormats,
             "Form of these lines; auto is text on a terminal, else JSON.",
             ST_MEMBER(logging.format)),
      span_ms("gateway.denied_flush_ms", 100, 600'000,
              "Refused attempts are counted for so long, then written as one event.",
              ST_MEMBER(gateway.denied_flush)),
  };
}

std::vector<Row> work_rows() {
  return {
      retention_row(),
      integer("executions.slots", 0, limits::kSlotsMax,
              "Executions that run at once on this machine; 0: one for each core.",
              ST_MEMBER(executions.slots)),
      path("executions.languages_file",
           "The languages of this machine. Default: the installed languages.toml.",
           ST_MEMBER(executions.languages_file)),
      flag("webhooks.allow_private_addresses",
           "Calls may go to loopback and private networks. For development only.",
           ST_MEMBER(webhooks.allow_private_addresses)),
      cidrs_row(),
      schedule_row(),
      path("webhooks.ca_file",
           "Certificates (PEM) to trust in calls. Default: those of the system.",
           ST_MEMBER(webhooks.ca_file)),
      integer("billing.signup_credits", 0, 1'000'000'000,
              "Credits a new organisation gets if its creator does not say.",
              ST_MEMBER(billing.signup_credits)),
      integer("billing.microcredits_per_gib_core_second", 0, 1'000'000'000'000,
              "Price of 1 GiB and one core over one second, in millionths of a credit.",
              ST_MEMBER(billing.microcredits_per_gib_core_second)),
      text_row("audit.origin", "name without spaces and +",
               "Name of the audit log in its signed checkpoints: a URL without schema.",
               ST_MEMBER(audit.origin), origin_problem),
      span_ms("audit.checkpoint_interval_ms", 10, 3'600'000,
              "At most so long after an entry a checkpoint that covers it is signed.",
              ST_MEMBER(audit.checkpoint_interval)),
  };
}

}  // namespace

std::string Row::variable() const {
  std::string out = "SANDTRAIL_" + name;
  for (char& c : out) c = c == '.' ? '_' : (c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c);
  return out;
}

const std::vector<Row>& rows() {
  static const std::vector<Row> table = [] {
    std::vector<Row> all = server_rows();
    for (auto more : {log_rows(), work_rows(), cluster_rows()}) {
      for (Row& row : more) all.push_back(std::move(row));
    }
    return all;
  }();
  return table;
}

}  // namespace sandtrail::config
