// SPDX-License-Identifier: Apache-2.0
#include "config/nearest.h"

#include <doctest/doctest.h>

namespace sandtrail {
namespace {

TEST_CASE("the nearest word is found within a third of the characters") {
  const std::vector<std::string> verbs{"run", "executions", "webhooks", "keys", "audit", "status"};
  struct Row {
    std::string word;
    std::string expected;
  };
  for (const Row& row :
       {Row{"rnu", "run"}, Row{"execution", "executions"}, Row{"webhoks", "webhooks"},
        Row{"key", "keys"}, Row{"audit", "audit"}, Row{"xyz", ""}, Row{"", ""},
        Row{"stauts", "status"}, Row{"deploy", ""}, Row{std::string(500, 'a'), ""}}) {
    CAPTURE(row.word);
    CHECK(nearest(row.word, verbs) == row.expected);
  }
  CHECK(nearest("run", {}) == "");
}

}  // namespace
}  // namespace sandtrail
