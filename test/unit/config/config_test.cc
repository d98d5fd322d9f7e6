// SPDX-License-Identifier: Apache-2.0
#include "config/config.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/file.h"

namespace sandtrail {
namespace {

const Environment kHome{{"HOME", "/home/user"}};

ConfigSources from(Environment environment) {
  return {std::move(environment), {}, {}};
}

std::string problem_of(std::string_view text, const Environment& environment = kHome) {
  const auto parsed = parse_config(text, "s.toml", from(environment));
  return parsed.ok() ? "" : parsed.error().message;
}

TEST_CASE("an empty file gives the defaults") {
  const auto config = parse_config("", "s.toml", from(kHome));
  REQUIRE(config.ok());
  CHECK(config->server.listen.text() == "127.0.0.1:8080");
  CHECK(config->server.admin_listen.text() == "127.0.0.1:8081");
  CHECK(config->data_dir == "/home/user/.local/share/sandtrail");
  CHECK(config->log.embedded());
  CHECK(config->log.partitions() == 4);
  CHECK(config->executions.default_retention == days(7));
  CHECK(config->webhooks.retry_schedule.size() == 9);
  CHECK(config->webhooks.retry_schedule.back() == seconds(86'400));
  CHECK(config->billing.signup_credits == 100);
  CHECK(config->audit.origin == "sandtrail.local/audit");
  CHECK(config->logging.level == LogLevel::info);
}

TEST_CASE("every setting can be set in the file") {
  const auto config = parse_config(R"(
data_dir = "/srv/sandtrail"
[server]
listen = "[::1]:9000"
admin_listen = "off"
public_url = "https://run.example.org"
[log]
events_partitions = 16
free_bytes_min = 100_000_000
mark_every_commit = true
[executions]
default_retention = "forever"
slots = 8
languages_file = "/etc/sandtrail/languages.toml"
[webhooks]
allow_private_addresses = true
allow_cidrs = ["10.1.0.0/16", "fd00::/8"]
retry_schedule = [1, 2]
ca_file = "/etc/ca.pem"
[billing]
signup_credits = 5
microcredits_per_gib_core_second = 7
[audit]
origin = "run.example.org/audit"
checkpoint_interval_ms = 250
[gateway]
denied_flush_ms = 100
[logging]
level = "debug"
format = "json"
)",
                                   "s.toml", from(kHome));
  REQUIRE_MESSAGE(config.ok(), config.error().text());
  CHECK(config->server.listen == ListenAddress{"::1", 9000});
  CHECK(config->server.listen.text() == "[::1]:9000");
  CHECK(config->server.admin_listen.off());
  CHECK(config->server.public_url == "https://run.example.org");
  CHECK(config->data_dir == "/srv/sandtrail");
  CHECK(config->log.events_partitions == 16);
  CHECK(config->log.free_bytes_min == 100'000'000);
  CHECK(config->log.mark_every_commit);
  CHECK_FALSE(config->executions.default_retention.has_value());
  CHECK(config->executions.slots == 8);
  CHECK(config->executions.languages_file == "/etc/sandtrail/languages.toml");
  CHECK(config->webhooks.allow_private_addresses);
  CHECK(config->webhooks.allow_cidrs == std::vector<std::string>{"10.1.0.0/16", "fd00::/8"});
  CHECK(config->webhooks.retry_schedule == std::vector<Millis>{seconds(1), seconds(2)});
  CHECK(config->webhooks.ca_file == "/etc/ca.pem");
  CHECK(config->billing.signup_credits == 5);
  CHECK(config->billing.microcredits_per_gib_core_second == 7);
  CHECK(config->audit.origin == "run.example.org/audit");
  CHECK(config->audit.checkpoint_interval == Millis{250});
  CHECK(config->gateway.denied_flush == Millis{100});
  CHECK(config->logging.level == LogLevel::debug);
  CHECK(config->logging.format == LogFormat::json);
}

TEST_CASE("what is wrong is named with file, line, key and a hint") {
  struct Row {
    const char* text;
    const char* expected;  // begins the message
  };
  for (const Row& row : {
           Row{"[server]\nlisten = 8080\n", "s.toml:2: server.listen: must be address:port"},
           Row{"[server]\nlisten = \"localhost:80\"\n", "s.toml:2: server.listen: must be"},
           Row{"[server]\nlisten = \"off\"\n", "s.toml:2: server.listen: must be"},
           Row{"[server]\nlisten = \"127.0.0.1:65536\"\n", "s.toml:2: server.listen: must be"},
           Row{"[server]\nlisten = \"unix:relative\"\n", "s.toml:2: server.listen: must be"},
           Row{"[server]\nlistn = \"127.0.0.1:1\"\n",
               "s.toml:2: server.listn: unknown setting; did you mean server.listen?"},
           Row{"[sever]\nlisten = \"127.0.0.1:1\"\n",
               "s.toml:1: sever: unknown setting; did you mean server?"},
           Row{"zzz = 1\n", "s.toml:1: zzz: unknown setting"},
           Row{"\n\ndata_dir = \"here\"\n", "s.toml:3: data_dir: must be absolute"},
           Row{"log = 4\n", "s.toml:1: log: unknown setting"},
           Row{"[log]\nevents_partitions = -1\n",
               "s.toml:2: log.events_partitions: must be 0 to 256"},
           Row{"[log]\nevents_partitions = \"4\"\n",
               "s.toml:2: log.events_partitions: must be an integer"},
           Row{"[log]\nevents_partitions = 4.0\n",
               "s.toml:2: log.events_partitions: must be an integer"},
           Row{"[executions]\ndefault_retention = \"31d\"\n",
               "s.toml:2: executions.default_retention: must be a span"},
           Row{"[executions]\ndefault_retention = 7\n",
               "s.toml:2: executions.default_retention: must be a span"},
           Row{"[webhooks]\nallow_private_addresses = \"yes\"\n",
               "s.toml:2: webhooks.allow_private_addresses: must be true or false"},
           Row{"[webhooks]\nallow_cidrs = [\"10.0.0.0/33\"]\n",
               "s.toml:2: webhooks.allow_cidrs: \"10.0.0.0/33\" is no network"},
           Row{"[webhooks]\nretry_schedule = []\n",
               "s.toml:2: webhooks.retry_schedule: must be a list"},
           Row{"[webhooks]\nretry_schedule = [1, \"2\"]\n",
               "s.toml:2: webhooks.retry_schedule: must be a list"},
           Row{"[webhooks]\nretry_schedule = [0]\n",
               "s.toml:2: webhooks.retry_schedule: must be a list"},
           Row{"[audit]\norigin = \"a b\"\n", "s.toml:2: audit.origin: must be printable"},
           Row{"[server]\npublic_url = \"ftp://x\"\n",
               "s.toml:2: server.public_url: must be an http"},
           Row{"[logging]\nlevel = \"loud\"\n",
               "s.toml:2: logging.level: must be one of \"debug\", \"info\""},
           Row{"\n[server\n", "s.toml:2: "},
           Row{"\"server.listen\" = \"127.0.0.1:1\"\n", "s.toml:1: \"server.listen\": unknown"},
       }) {
    CAPTURE(row.text);
    const std::string problem = problem_of(row.text);
    CAPTURE(problem);
    CHECK(problem.starts_with(row.expected));
  }
}

TEST_CASE("all problems are told at once") {
  const std::string problem =
      problem_of("zzz = 1\n[log]\nevents_partitions = -1\nfree_bytes_min = true\n");
  CHECK(std::count(problem.begin(), problem.end(), '\n') == 2);
}

TEST_CASE("the environment wins over the file") {
  Environment environment = kHome;
  environment["SANDTRAIL_SERVER_LISTEN"] = "127.0.0.1:1234";
  environment["SANDTRAIL_DATA_DIR"] = "/data";
  environment["SANDTRAIL_LOG_EVENTS_PARTITIONS"] = "2";
  environment["SANDTRAIL_WEBHOOKS_ALLOW_PRIVATE_ADDRESSES"] = "true";
  environment["SANDTRAIL_WEBHOOKS_ALLOW_CIDRS"] = "10.0.0.0/8, ::1/128";
  environment["SANDTRAIL_WEBHOOKS_RETRY_SCHEDULE"] = "5,6";
  const auto config =
      parse_config("[server]\nlisten = \"127.0.0.1:1\"\n", "s.toml", from(environment));
  REQUIRE(config.ok());
  CHECK(config->server.listen.port == 1234);
  CHECK(config->data_dir == "/data");
  CHECK(config->log.events_partitions == 2);
  CHECK(config->webhooks.allow_private_addresses);
  CHECK(config->webhooks.allow_cidrs.size() == 2);
  CHECK(config->webhooks.retry_schedule.size() == 2);
}

TEST_CASE("a variable with a bad value, and a slip in the name of one, are errors") {
  struct Row {
    const char* name;
    const char* value;
    const char* expected;
  };
  for (const Row& row : {
           Row{"SANDTRAIL_LOG_EVENTS_PARTITIONS", "many", "must be an integer"},
           Row{"SANDTRAIL_LOG_EVENTS_PARTITIONS", "4 ", "must be an integer"},
           Row{"SANDTRAIL_WEBHOOKS_ALLOW_PRIVATE_ADDRESSES", "1", "must be true or false"},
           Row{"SANDTRAIL_WEBHOOKS_RETRY_SCHEDULE", "5,,6", "must be a list"},
           Row{"SANDTRAIL_SERVER_LISTN", "127.0.0.1:1", "did you mean SANDTRAIL_SERVER_LISTEN?"},
           Row{"SANDTRAIL_LOGING_LEVEL", "info", "did you mean SANDTRAIL_LOGGING_LEVEL?"},
       }) {
    CAPTURE(row.name);
    const std::string problem = problem_of("", {{"HOME", "/h"}, {row.name, row.value}});
    CAPTURE(problem);
    CHECK(problem.starts_with(std::string("environment: ") + row.name + ": "));
    CHECK(problem.find(row.expected) != std::string::npos);
  }
}

TEST_CASE("variables that belong to others are left alone") {
  for (const char* name :
       {"SANDTRAIL_PORT", "SANDTRAIL_SERVICE_HOST", "SANDTRAIL_URL", "SANDTRAIL_API_KEY",
        "SANDTRAIL_SERVER_SERVICE_PORT", "SANDTRAIL_CONFIG", "SANDTRAIL_KEY_FILE", "PATH"}) {
    CAPTURE(name);
    CHECK(problem_of("", {{"HOME", "/h"}, {name, "tcp://10.0.0.1:80"}}) == "");
  }
}

TEST_CASE("the data directory comes from the variable, XDG, or the home directory") {
  CHECK(default_data_directory({{"SANDTRAIL_DATA_DIR", "/d"}, {"HOME", "/h"}}) == "/d");
  CHECK(default_data_directory({{"XDG_DATA_HOME", "/x"}, {"HOME", "/h"}}) == "/x/sandtrail");
  CHECK(default_data_directory({{"XDG_DATA_HOME", "x"}, {"HOME", "/h"}}) ==
        "/h/.local/share/sandtrail");
  CHECK(default_data_directory({}) == "");
  CHECK(problem_of("", {}) == "there is no place for the data");
}

TEST_CASE("a file is read from its path, and a missing one is an error") {
  char directory[] = "/tmp/sandtrail-config-XXXXXX";
  REQUIRE(::mkdtemp(directory) != nullptr);
  const std::string path = std::string(directory) + "/s.toml";
  REQUIRE(write_file_durably(path, "[executions]\nslots = 3\n", 0600).ok());
  const auto config = load_config(path, from(kHome));
  REQUIRE(config.ok());
  CHECK(config->executions.slots == 3);
  CHECK(load_config("", from(kHome)).ok());
  const auto missing = load_config(path + ".not", from(kHome));
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == ErrorCode::not_found);
  ::unlink(path.c_str());
  ::rmdir(directory);
}

TEST_CASE("the environment of the process can be taken over") {
  REQUIRE(::setenv("SANDTRAIL_TEST_VARIABLE", "a=b", 1) == 0);
  CHECK(process_environment().at("SANDTRAIL_TEST_VARIABLE") == "a=b");
  ::unsetenv("SANDTRAIL_TEST_VARIABLE");
}

}  // namespace
}  // namespace sandtrail
