// SPDX-License-Identifier: Apache-2.0
#include "cluster_rows.h"

#include <algorithm>
#include <iterator>

#include "base/limits.h"
#include "kafka_settings.h"
#include "row_kinds.h"

namespace sandtrail::config {
namespace {

constexpr std::string_view kKafkaScheme = "kafka://";
constexpr std::string_view kS3Scheme = "s3://";

std::string log_url_problem(const std::string& value) {
  if (value == "embedded") return "";
  const std::string form = "must be \"embedded\" or \"kafka://host:port,host:port\"";
  if (!value.starts_with(kKafkaScheme)) return form;
  const auto brokers = parts_of(std::string_view(value).substr(kKafkaScheme.size()));
  if (brokers.size() > limits::kBrokersMax) {
    return "must name at most " + std::to_string(limits::kBrokersMax) + " brokers";
  }
  const bool fine = !brokers.empty() && value.find(' ') == std::string::npos &&
                    std::all_of(brokers.begin(), brokers.end(), [](const std::string& broker) {
                      return parse_host_port(broker).has_value();
                    });
  return fine ? "" : form;
}

// What Kafka takes in topic names, less the underscore: it may not be mixed with points in them.
std::string prefix_problem(const std::string& value) {
  const bool fine =
      value.size() <= limits::kTopicPrefixBytesMax &&
      std::all_of(value.begin(), value.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
      });
  return fine ? ""
              : "must be at most " + std::to_string(limits::kTopicPrefixBytesMax) +
                    " lower-case letters, digits, points and hyphens";
}

std::string objects_url_problem(const std::string& value) {
  if (value.empty()) return "";
  const bool fine = value.starts_with(kS3Scheme) && value.size() > kS3Scheme.size() &&
                    value[kS3Scheme.size()] != '/' && !value.ends_with('/');
  return fine ? "" : "must be \"s3://bucket\" or \"s3://bucket/prefix\"";
}

std::string region_problem(const std::string& value) {
  const bool fine =
      value.size() <= limits::kNameBytesMax && std::all_of(value.begin(), value.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
      });
  return fine ? "" : "must be a name like \"eu-central-1\"";
}

std::string address_problem(const std::string& value) {
  return value.empty() || parse_host_port(value) ? "" : "must be \"host:port\"";
}

using Addressing = Config::Objects::Addressing;

constexpr std::array<std::pair<Addressing, std::string_view>, 3> kAddressings{
    {{Addressing::automatic, "auto"},
     {Addressing::path, "path"},
     {Addressing::virtual_host, "virtual_host"}}};

std::vector<Row> objects_rows() {
  return {
      text_row("objects.url", "\"s3://bucket/prefix\", or \"\"",
               "Where payloads too large for the log are kept. Default: a directory in data_dir, "
               "which all processes then must share.",
               ST_MEMBER(objects.url), objects_url_problem),
      text_row("objects.endpoint", "URL, or \"\"",
               "Of an S3 service other than that of AWS, as in \"http://127.0.0.1:9000\".",
               ST_MEMBER(objects.endpoint), url_problem),
      text_row("objects.region", "name, or \"\"",
               "Of the S3 service. Default: $AWS_REGION; with an endpoint \"us-east-1\".",
               ST_MEMBER(objects.region), region_problem),
      path("objects.credentials_file",
           "Keys of the S3 service: the section [default] of a credentials file as AWS has it, "
           "mode 0600. Default: $AWS_ACCESS_KEY_ID, $AWS_SECRET_ACCESS_KEY and, if it is set, "
           "$AWS_SESSION_TOKEN.",
           ST_MEMBER(objects.credentials_file)),
      path("objects.ca_file",
           "Certificates (PEM) to trust in the S3 service. Default: those of the system.",
           ST_MEMBER(objects.ca_file)),
      choice("objects.addressing", kAddressings,
             "Where the bucket stands: in the path, or before the endpoint's name; auto is the "
             "latter for AWS and the former for others.",
             ST_MEMBER(objects.addressing)),
      flag("objects.allow_http",
           "An endpoint that is not on loopback may be plain http. What is stored is sealed, but "
           "others on the way can see the requests.",
           ST_MEMBER(objects.allow_http)),
  };
}

Row launchers_row() {
  const std::string allowed =
      "list of \"host:port\", at most " + std::to_string(limits::kLaunchersMax);
  return {"cluster.launchers",
          Kind::texts,
          allowed,
          "Launchers: where hosts join, and what `sandtrail status` asks.",
          [=](Config& config, const Raw& raw) -> std::string {
            const auto* values = as<std::vector<std::string>>(raw);
            const bool fine = values != nullptr && values->size() <= limits::kLaunchersMax &&
                              std::all_of(values->begin(), values->end(),
                                          [](const auto& v) { return parse_host_port(v); });
            if (!fine) return "must be a " + allowed;
            config.cluster.launchers = *values;
            return "";
          },
          [](const Config& config) {
            std::string out;
            for (const std::string& value : config.cluster.launchers) {
              out += (out.empty() ? "" : ", ") + toml_text(value);
            }
            return "[" + out + "]";
          }};
}

Row kafka_row() {
  return {
      "log.kafka",
      Kind::table,
      "table of at most " + std::to_string(limits::kKafkaSettingsMax) + " settings of librdkafka",
      "Passed to the client of Kafka: security.protocol, ssl.*, sasl.*, client.rack and a few "
      "more. A secret is named by its file, as in \"sasl.password_file\".",
      [](Config& config, const Raw& raw) -> std::string {
        const auto* entry = as<TableEntry>(raw);
        if (entry == nullptr) return "must be a table of settings";
        auto& into = config.log.kafka;
        if (auto problem = kafka_setting_problem(entry->name, entry->value); !problem.empty()) {
          return problem;
        }
        if (into.contains(entry->name)) return "is given twice";
        if (into.size() >= limits::kKafkaSettingsMax) {
          return "is one too many: at most " + std::to_string(limits::kKafkaSettingsMax);
        }
        into[entry->name] = entry->value;
        return "";
      },
      [](const Config& config) {
        std::string out;
        for (const auto& [name, value] : config.log.kafka) {
          out += (out.empty() ? "" : ", ") + toml_text(name) + " = " + toml_text(value);
        }
        return "{" + out + "}";
      },
      [](Config& config) { config.log.kafka.clear(); }};
}

}  // namespace

std::vector<Row> log_rows() {
  return {
      text_row("log.url", "\"embedded\", or \"kafka://host:port,host:port\"",
               "The log: embedded in the one process that runs all roles, or brokers of Kafka.",
               ST_MEMBER(log.url), log_url_problem),
      text_row("log.topic_prefix", "lower-case letters, digits, points, hyphens",
               "Kafka: stands before the name of each topic and group, as in \"st.\".",
               ST_MEMBER(log.topic_prefix), prefix_problem),
      integer("log.events_partitions", 0, limits::kEventsPartitionsMax,
              "Partitions of the topic `events`; fixed when the log is created. 0: 4 on the "
              "embedded log, 16 on Kafka.",
              ST_MEMBER(log.events_partitions)),
      integer("log.replication", 1, limits::kReplicationMax,
              "Kafka: copies of each topic that is made.", ST_MEMBER(log.replication)),
      integer("log.min_insync", 1, limits::kReplicationMax,
              "Kafka: copies that must have a record before it counts as appended.",
              ST_MEMBER(log.min_insync)),
      span_ms("log.session_timeout_ms", 1000, 300'000,
              "Kafka: a process that is silent for so long loses its partitions to others.",
              ST_MEMBER(log.session_timeout)),
      kafka_row(),
      integer("log.free_bytes_min", limits::kLogFreeBytesMinMin, std::int64_t{1} << 50,
              "With less free space on the disk the embedded log takes no appends.",
              ST_MEMBER(log.free_bytes_min)),
      flag("log.mark_every_commit",
           "The embedded log notes how far it is before each answer, not once a second: then every "
           "later loss of what was acknowledged is noticed. Appends take longer.",
           ST_MEMBER(log.mark_every_commit)),
      span_ms("gateway.log_away_ms", limits::kLogAwayMin.count, limits::kLogAwayMax.count,
              "Writes are refused at once after the log has been away for so long.",
              ST_MEMBER(gateway.log_away)),
  };
}

std::vector<Row> cluster_rows() {
  std::vector<Row> out = objects_rows();
  std::vector<Row> others{
      path("keys.root_file",
           "The root key; the same for all processes. Default: root.key in data_dir.",
           ST_MEMBER(keys.root_file)),
      path("audit.key_file", "The key that signs checkpoints. Default: audit.key in data_dir.",
           ST_MEMBER(audit.key_file)),
      path("cluster.ca_file",
           "Certificates (PEM) that processes trust in each other. Without this and the next two "
           "connections are plain, which is allowed on loopback only.",
           ST_MEMBER(cluster.ca_file)),
      path("cluster.cert_file", "This process's own certificate (PEM), as `sandtrail certs` makes.",
           ST_MEMBER(cluster.cert_file)),
      path("cluster.key_file", "The key of that certificate (PEM).", ST_MEMBER(cluster.key_file)),
      launchers_row(),
      listen("launcher.listen", true,
             "Where hosts join. `sandtrail launcher`: \"127.0.0.1:7080\" unless set.",
             ST_MEMBER(launcher.listen)),
      flag("launcher.builtin_host",
           "Whether a launcher runs executions itself. `sandtrail launcher`: false unless set.",
           ST_MEMBER(launcher.builtin_host)),
      listen("host.listen", true,
             "Where a host serves live output to gateways; off: output comes with the result only.",
             ST_MEMBER(host.listen)),
      text_row("host.address", "\"host:port\", or \"\"",
               "How gateways reach that. Default: host.listen, which must not be a wildcard then.",
               ST_MEMBER(host.address), address_problem),
  };
  std::move(others.begin(), others.end(), std::back_inserter(out));
  return out;
}

namespace {

using Misfits = std::vector<std::pair<std::string, std::string>>;

// Without certificates everything stays on this machine.
void check_loopback(const Config& config, Misfits& out) {
  const std::string why =
      "must be on loopback without certificates (cluster.ca_file, cert_file, key_file)";
  const auto check = [&](const std::string& name, const std::string& host) {
    if (!is_loopback(host)) out.emplace_back(name, why);
  };
  const auto check_listen = [&](const std::string& name, const ListenAddress& where) {
    if (!where.off() && !where.address.starts_with("unix:")) check(name, where.address);
  };
  check_listen("launcher.listen", config.launcher.listen);
  check_listen("host.listen", config.host.listen);
  for (const std::string& launcher : config.cluster.launchers) {
    check("cluster.launchers", parse_host_port(launcher)->host);
  }
  if (const auto address = parse_host_port(config.host.address)) {
    check("host.address", address->host);
  }
}

// What says how to reach a service is of no use without one.
void check_objects(const Config::Objects& objects, Misfits& out) {
  Config::Objects untouched;
  untouched.url = objects.url;
  if (objects.url.empty() && objects != untouched) {
    out.emplace_back("objects", "set objects.url as well, as in \"s3://bucket/prefix\"");
  }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> misfits(const Config& config) {
  Misfits out;
  if (config.log.min_insync > config.log.replication) {
    out.emplace_back("log.min_insync", "must be at most log.replication");
  }
  check_objects(config.objects, out);
  const auto& cluster = config.cluster;
  const bool some = !cluster.ca_file.empty() || cluster.tls() || !cluster.key_file.empty();
  if (some && (cluster.ca_file.empty() || !cluster.tls() || cluster.key_file.empty())) {
    out.emplace_back("cluster", "set ca_file, cert_file and key_file together");
  }
  if (!some) check_loopback(config, out);
  const std::string& data_plane = config.host.listen.address;
  const bool anywhere =
      data_plane == "0.0.0.0" || data_plane == "::" || data_plane.starts_with("unix:");
  if (anywhere && config.host.address.empty()) {
    out.emplace_back("host.address", "must say how gateways reach host.listen");
  }
  return out;
}

}  // namespace sandtrail::config
