// SPDX-License-Identifier: Apache-2.0
// Which addresses and settings of a cluster are taken.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "kafka/connection.h"

using namespace sandtrail;

TEST_CASE("a log's URL names brokers by host and port") {
  struct Row {
    std::string url;
    std::string brokers;  // empty: refused
  };
  const std::vector<Row> rows{
      {"kafka://127.0.0.1:9092", "127.0.0.1:9092"},
      {"kafka://a.example:1,b-2:65535", "a.example:1,b-2:65535"},
      {"kafka://[::1]:9092", "[::1]:9092"},
      {"kafka://", ""},
      {"kafka://host", ""},
      {"kafka://host:", ""},
      {"kafka://:9092", ""},
      {"kafka://host:123456", ""},
      {"kafka://host:9092,", ""},
      {"kafka://ho st:9092", ""},
      {"kafka://user@host:9092", ""},
      {"http://host:9092", ""},
      {"host:9092", ""},
      {"", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.url);
    const auto brokers = parse_kafka_url(row.url);
    REQUIRE(brokers.ok() == !row.brokers.empty());
    if (brokers.ok()) CHECK(*brokers == row.brokers);
    if (!brokers.ok()) CHECK(brokers.error().code == ErrorCode::invalid_argument);
  }
}

TEST_CASE("how to connect is the user's to set, how to behave is not, and secrets come by file") {
  struct Row {
    std::string name;
    std::string value;
    bool fine;
  };
  const std::vector<Row> rows{
      {"security.protocol", "sasl_ssl", true},
      {"security.protocol", "nonsense", false},
      {"ssl.ca.location", "/etc/ca.pem", true},
      {"sasl.mechanisms", "SCRAM-SHA-256", true},
      {"sasl.username", "gateway", true},
      {"sasl.password_file", "/run/secret", true},
      {"sasl.password", "hunter2", false},
      {"ssl.key.password_file", "/run/secret", true},
      {"ssl.key.pem", "-----BEGIN", false},
      {"broker.address.family", "v4", true},
      {"acks", "1", false},
      {"enable.idempotence", "false", false},
      {"isolation.level", "read_committed", false},
      {"bootstrap.servers", "elsewhere:1", false},
      {"group.id", "mine", false},
      {"debug", "all", false},
      {"ssl.no.such.setting", "1", false},
      {"no_such_file", "1", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Status status = check_kafka_settings({{row.name, row.value}});
    CHECK(status.ok() == row.fine);
    if (status.ok()) continue;
    CHECK(status.error().message.find(row.name) != std::string::npos);
    CHECK(status.error().message.find("hunter2") == std::string::npos);
  }
}
