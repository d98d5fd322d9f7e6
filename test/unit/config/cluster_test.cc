// SPDX-License-Identifier: Apache-2.0
// Settings of processes that share a log, and what the command line adds.
#include <doctest/doctest.h>

#include "config/config.h"

namespace sandtrail {
namespace {

const Environment kHome{{"HOME", "/home/user"}};

Result<Config> parsed(std::string_view text, std::vector<Argument> arguments = {},
                      Config defaults = {}) {
  return parse_config(text, "s.toml", {kHome, std::move(arguments), std::move(defaults)});
}

std::string problem_of(std::string_view text) {
  const auto config = parsed(text);
  return config.ok() ? "" : config.error().message;
}

TEST_CASE("one file serves every process of a cluster") {
  const auto config = parsed(R"(
[log]
url = "kafka://broker-1:9092,[::1]:9093"
topic_prefix = "st."
replication = 1
min_insync = 1
session_timeout_ms = 6000
[log.kafka]
security.protocol = "sasl_ssl"
"ssl.ca.location" = "/etc/ca.pem"
"sasl.password_file" = "/etc/password"
"socket.connection.setup.timeout.ms" = 5000
"socket.keepalive.enable" = true
[objects]
url = "s3://bucket/prefix"
endpoint = "http://127.0.0.1:9000"
region = "eu-central-1"
credentials_file = "/etc/s3"
[keys]
root_file = "/etc/root.key"
[audit]
key_file = "/etc/audit.key"
[cluster]
ca_file = "/etc/cluster/ca.pem"
cert_file = "/etc/cluster/cert.pem"
key_file = "/etc/cluster/key.pem"
launchers = ["launcher-1:7080", "10.0.0.7:7080"]
[launcher]
listen = "0.0.0.0:7080"
builtin_host = false
[host]
listen = "0.0.0.0:7081"
address = "host-1.internal:7081"
[gateway]
log_away_ms = 300
)");
  REQUIRE_MESSAGE(config.ok(), config.error().text());
  CHECK_FALSE(config->log.embedded());
  CHECK(config->log.brokers() == "broker-1:9092,[::1]:9093");
  CHECK(config->log.partitions() == 16);
  CHECK(config->log.topic_prefix == "st.");
  CHECK(config->log.replication == 1);
  CHECK(config->log.min_insync == 1);
  CHECK(config->log.session_timeout == seconds(6));
  CHECK(config->log.kafka ==
        std::map<std::string, std::string>{{"security.protocol", "sasl_ssl"},
                                           {"ssl.ca.location", "/etc/ca.pem"},
                                           {"sasl.password_file", "/etc/password"},
                                           {"socket.connection.setup.timeout.ms", "5000"},
                                           {"socket.keepalive.enable", "true"}});
  CHECK(config->objects.url == "s3://bucket/prefix");
  CHECK(config->objects.endpoint == "http://127.0.0.1:9000");
  CHECK(config->objects.region == "eu-central-1");
  CHECK(config->objects.credentials_file == "/etc/s3");
  CHECK(config->keys.root_file == "/etc/root.key");
  CHECK(config->audit.key_file == "/etc/audit.key");
  CHECK(config->cluster.tls());
  CHECK(config->cluster.launchers.size() == 2);
  CHECK(config->launcher.listen == ListenAddress{"0.0.0.0", 7080});
  CHECK_FALSE(config->launcher.builtin_host);
  CHECK(config->host.listen.port == 7081);
  CHECK(config->host.address == "host-1.internal:7081");
  CHECK(config->gateway.log_away == Millis{300});
}

TEST_CASE("how an S3 service is reached and trusted can be set") {
  const auto config = parsed(
      "[objects]\nurl = \"s3://bucket\"\nca_file = \"/etc/s3.pem\"\n"
      "addressing = \"virtual_host\"\nallow_http = true\n");
  REQUIRE_MESSAGE(config.ok(), config.error().text());
  CHECK(config->objects.ca_file == "/etc/s3.pem");
  CHECK(config->objects.addressing == Config::Objects::Addressing::virtual_host);
  CHECK(config->objects.allow_http);
}

TEST_CASE("what is wrong with settings of a cluster is named") {
  struct Row {
    const char* text;
    const char* expected;  // begins the message
  };
  for (const Row& row : {
           Row{"[log]\nurl = \"kafka://\"\n", "s.toml:2: log.url: must be \"embedded\" or"},
           Row{"[log]\nurl = \"kafka://broker\"\n", "s.toml:2: log.url: must be"},
           Row{"[log]\nurl = \"kafka://a:1, b:2\"\n", "s.toml:2: log.url: must be"},
           Row{"[log]\nurl = \"kafka://a:0\"\n", "s.toml:2: log.url: must be"},
           Row{"[log]\nurl = \"http://a:1\"\n", "s.toml:2: log.url: must be"},
           Row{"[log]\ntopic_prefix = \"a_b\"\n", "s.toml:2: log.topic_prefix: must be at most"},
           Row{"[log]\nreplication = 1\n", "settings: log.min_insync: must be at most"},
           Row{"[log]\nkafka = \"x\"\n", "s.toml:2: log.kafka: must be a table"},
           Row{"[log.kafka]\n\"acks\" = \"1\"\n", "s.toml:2: log.kafka.acks: is not for you"},
           Row{"[log.kafka]\ngroup.id = \"x\"\n", "s.toml:2: log.kafka.group.id: is not for you"},
           Row{"[log.kafka]\n\"sasl.password\" = \"x\"\n",
               "s.toml:2: log.kafka.sasl.password: secrets do not stand in the settings; name a "
               "file as \"sasl.password_file\""},
           Row{"[log.kafka]\n\"sasl.password_file\" = \"x\"\n",
               "s.toml:2: log.kafka.sasl.password_file: must be an absolute path"},
           Row{"[log.kafka]\n\"plugin.library.paths\" = \"x\"\n",
               "s.toml:2: log.kafka.plugin.library.paths: is not passed through"},
           Row{"[log.kafka]\n\"client.rack\" = [\"x\"]\n",
               "s.toml:2: log.kafka.client.rack: must be a text"},
           Row{"[log.kafka]\nclient.rack = \"x\"\n\"client.rack\" = \"x\"\n",
               "s.toml:3: log.kafka.client.rack: is given twice"},
           Row{"[log.kafkas]\n\"client.rack\" = \"x\"\n", "s.toml:1: log.kafkas: unknown setting"},
           Row{"[objects]\nurl = \"s3://\"\n", "s.toml:2: objects.url: must be"},
           Row{"[objects]\nurl = \"s3:///x\"\n", "s.toml:2: objects.url: must be"},
           Row{"[objects]\nendpoint = \"127.0.0.1\"\n", "s.toml:2: objects.endpoint: must be an"},
           Row{"[objects]\naddressing = \"dns\"\n", "s.toml:2: objects.addressing: must be one"},
           Row{"[objects]\nregion = \"here\"\n", "settings: objects: set objects.url as well"},
           Row{"[objects]\nallow_http = true\n", "settings: objects: set objects.url as well"},
           Row{"[keys]\nroot_file = \"root.key\"\n", "s.toml:2: keys.root_file: must be absolute"},
           Row{"[cluster]\nlaunchers = [\"launcher\"]\n",
               "s.toml:2: cluster.launchers: must be a list of \"host:port\""},
           Row{"[cluster]\nca_file = \"/ca\"\n", "settings: cluster: set ca_file, cert_file and"},
           Row{"[cluster]\nlaunchers = [\"10.0.0.1:1\"]\n",
               "settings: cluster.launchers: must be on loopback without certificates"},
           Row{"[launcher]\nlisten = \"0.0.0.0:1\"\n",
               "settings: launcher.listen: must be on loopback without certificates"},
           Row{"[host]\nlisten = \"[::]:1\"\n",
               "settings: host.listen: must be on loopback without certificates"},
           Row{"[host]\naddress = \"host-1:1\"\n",
               "settings: host.address: must be on loopback without certificates"},
           Row{"[host]\nlisten = \"unix:/run/host.sock\"\n",
               "settings: host.address: must say how gateways reach host.listen"},
           Row{"[host]\nlisten = \"0.0.0.0:7081\"\n[cluster]\nca_file = \"/a\"\n"
               "cert_file = \"/b\"\nkey_file = \"/c\"\n",
               "settings: host.address: must say how gateways reach host.listen"},
           Row{"[gateway]\nlog_away_ms = 1\n", "s.toml:2: gateway.log_away_ms: must be 100 to"},
       }) {
    CAPTURE(row.text);
    const std::string problem = problem_of(row.text);
    CAPTURE(problem);
    CHECK(problem.starts_with(row.expected));
  }
  CHECK(problem_of("[host]\nlisten = \"off\"\n") == "");
  CHECK(problem_of("[cluster]\nlaunchers = [\"localhost:1\", \"127.8.0.1:1\", \"[::1]:1\"]\n") ==
        "");
}

TEST_CASE("a table in the environment takes the place of the file's") {
  const std::string file =
      "[log.kafka]\n\"client.rack\" = \"a\"\n\"socket.keepalive.enable\" = true\n";
  Environment environment = kHome;
  environment["SANDTRAIL_LOG_KAFKA"] = "client.rack=b, security.protocol=ssl";
  const auto config = parse_config(file, "s.toml", {environment, {}, {}});
  REQUIRE(config.ok());
  CHECK(config->log.kafka ==
        std::map<std::string, std::string>{{"client.rack", "b"}, {"security.protocol", "ssl"}});
  for (const auto& [value, expected] : std::vector<std::pair<std::string, std::string>>{
           {"client.rack", "environment: SANDTRAIL_LOG_KAFKA: must be name=value"},
           {"acks=1", "environment: SANDTRAIL_LOG_KAFKA acks: is not for you"}}) {
    environment["SANDTRAIL_LOG_KAFKA"] = value;
    const auto refused = parse_config(file, "s.toml", {environment, {}, {}});
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message.starts_with(expected));
  }
}

TEST_CASE("the command line wins over the environment, and is named in what is wrong with it") {
  Environment environment = kHome;
  environment["SANDTRAIL_SERVER_LISTEN"] = "127.0.0.1:1";
  const auto given = [&](const std::string& value) {
    return parse_config("[server]\nlisten = \"127.0.0.1:2\"\n", "s.toml",
                        {environment, {{"--listen", "server.listen", value}}, {}});
  };
  const auto config = given("127.0.0.1:3");
  REQUIRE(config.ok());
  CHECK(config->server.listen.port == 3);
  const auto refused = given("localhost:3");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.starts_with("command line: --listen: must be address:port"));
}

TEST_CASE("a verb's own defaults give way to every source") {
  Config defaults;
  defaults.launcher.listen = {"127.0.0.1", 7080};
  defaults.launcher.builtin_host = false;
  CHECK(parsed("", {}, defaults)->launcher.listen.port == 7080);
  CHECK(parsed("[launcher]\nlisten = \"off\"\n", {}, defaults)->launcher.listen.off());
  CHECK(parsed("[launcher]\nbuiltin_host = true\n", {}, defaults)->launcher.builtin_host);
  CHECK(parsed("", {{"--launcher", "launcher.listen", "[::1]:1"}}, defaults)
            ->launcher.listen.address == "::1");
}

}  // namespace
}  // namespace sandtrail
