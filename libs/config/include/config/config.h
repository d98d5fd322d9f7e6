// SPDX-License-Identifier: Apache-2.0
// The settings of all roles: one TOML 1.0 file for a whole deployment, each role reads its part.
// schemas/config.md lists them; it is made by config_document(), from the table that reads them.
//
// Strict: an unknown key, a wrong type or a value out of range is an error that names file, line
// and key. Safety bounds are no settings: they stand in base/limits.h.
//
// Precedence: command line, then environment, then file, then default. The variable of a setting is
// SANDTRAIL_ and its name in upper case with "." as "_": server.admin_listen is
// SANDTRAIL_SERVER_ADMIN_LISTEN. Lists are separated by commas, entries of a table too
// ("name=value,name=value"). A variable that begins with SANDTRAIL_ and nearly is one of a setting
// is an error; others are ignored, because container platforms make up some (SANDTRAIL_PORT).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/time.h"
#include "obs/log.h"

namespace sandtrail {

// Where a server listens: "127.0.0.1:8080", "[::1]:8080", "unix:/run/sandtrail.sock", or "off".
struct ListenAddress {
  std::string address;     // textual IP address or "unix:/path"; empty: off
  std::uint16_t port = 0;  // 0 for a unix socket
  bool off() const { return address.empty(); }
  std::string text() const;
  bool operator==(const ListenAddress&) const = default;
};

struct Config {
  struct Server {
    ListenAddress listen{"127.0.0.1", 8080};
    ListenAddress admin_listen{"127.0.0.1", 8081};
    std::string public_url;  // empty: http:// and the listening address
  } server;
  std::string data_dir;  // empty only in Config{}; load_config() fills it in
  struct Log {
    std::string url = "embedded";        // or "kafka://host:port,host:port"
    std::string topic_prefix;            // Kafka: before each topic's name
    std::int64_t events_partitions = 0;  // 0: partitions() chooses
    std::int64_t free_bytes_min = limits::kLogFreeBytesMinDefault;
    bool mark_every_commit = false;  // embedded
    std::int64_t replication = 3;    // Kafka: of topics that are made
    std::int64_t min_insync = 2;
    Millis session_timeout = seconds(10);  // Kafka: then a member counts as gone
    // Passed through to librdkafka. A secret is the path of a file under its name and "_file".
    std::map<std::string, std::string> kafka;

    bool embedded() const { return url == "embedded"; }
    std::string brokers() const;  // "host:port,host:port"; empty if embedded
    std::int32_t partitions() const;
  } log;
  struct Objects {
    std::string url;               // empty: a directory below data_dir; else "s3://bucket/prefix"
    std::string endpoint;          // empty: that of AWS for the region
    std::string region;            // empty: that of the environment
    std::string credentials_file;  // empty: the environment's
    std::string ca_file;           // empty: the system's
    enum class Addressing { automatic, path, virtual_host };
    Addressing addressing = Addressing::automatic;
    bool allow_http = false;
    bool operator==(const Objects&) const = default;
  } objects;
  struct Keys {
    std::string root_file;  // empty: root.key in data_dir
  } keys;
  struct Cluster {
    std::string ca_file;  // of all three none (plain, loopback only) or each
    std::string cert_file;
    std::string key_file;
    std::vector<std::string> launchers;  // "host:port"
    bool tls() const { return !cert_file.empty(); }
  } cluster;
  struct Launcher {
    ListenAddress listen;      // for hosts; off unless set, but for `sandtrail launcher`
    bool builtin_host = true;  // `sandtrail launcher`: false unless set
  } launcher;
  struct Host {
    ListenAddress listen{"127.0.0.1", 7081};  // the data plane
    std::string address;                      // "host:port"; empty: host.listen
  } host;
  struct Executions {
    std::optional<Millis> default_retention = days(7);  // absent: until deleted
    std::int64_t slots = 0;                             // 0: one for each core
    std::string languages_file;                         // empty: the installed one
  } executions;
  struct Webhooks {
    bool allow_private_addresses = false;
    std::vector<std::string> allow_cidrs;
    std::vector<Millis> retry_schedule = {seconds(5), minutes(5), minutes(30), hours(2), hours(5),
                                          hours(10),  hours(14),  hours(20),   hours(24)};
    std::string ca_file;  // empty: the system's
  } webhooks;
  struct Billing {
    std::int64_t signup_credits = 100;
    std::int64_t microcredits_per_gib_core_second = 10'000;
  } billing;
  struct Audit {
    std::string origin = "sandtrail.local/audit";
    Millis checkpoint_interval = seconds(1);
    std::string key_file;  // empty: audit.key in data_dir
  } audit;
  struct Gateway {
    Millis denied_flush = minutes(1);
    Millis log_away = seconds(5);  // then writes are refused
  } gateway;
  struct Logging {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::automatic;
  } logging;
};

using Environment = std::map<std::string, std::string>;

// The process's own, as it is now. Not while other threads change it.
Environment process_environment();

// $SANDTRAIL_DATA_DIR, else $XDG_DATA_HOME/sandtrail, else $HOME/.local/share/sandtrail; empty if
// none of them is set.
std::string default_data_directory(const Environment& environment);

// A setting given on the command line.
struct Argument {
  std::string option;   // names it in messages: "--listen"
  std::string setting;  // "server.listen"
  std::string value;    // as a variable would have it
};

// What else there is besides the file.
struct ConfigSources {
  Environment environment;
  std::vector<Argument> arguments;
  Config defaults;  // of the verb
};

// invalid_argument: the message has one line for each thing that is wrong, all of them, as
// "file:line: key: what". `path` empty: no file. Of the file: not_found, overloaded (over
// limits::kConfigBytesMax), denied.
Result<Config> load_config(const std::string& path, const ConfigSources& sources);
// The same of a file that was read; `file` names it in messages.
Result<Config> parse_config(std::string_view text, const std::string& file,
                            const ConfigSources& sources);

// What there is to set.
struct SettingInfo {
  std::string name;           // "server.listen"
  std::string variable;       // "SANDTRAIL_SERVER_LISTEN"
  std::string type;           // for people: "integer, 1 to 1024"
  std::string default_value;  // as TOML
  std::string text;           // one line
};
std::vector<SettingInfo> describe();

// schemas/config.md.
std::string config_document();

}  // namespace sandtrail
