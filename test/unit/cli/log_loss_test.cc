// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "codec/json.h"
#include "harness.h"

namespace sandtrail {
namespace {

using test::Harness;
using test::has;

struct Lossy : Harness {
  Lossy() {
    loss.what = "acknowledged records of the log are gone";
    loss.partitions = {{{"events", 1}, {63}, {60}}, {{"audit", 0}, {9}, {8}}};
  }
};

TEST_CASE("a loss is shown by partition before anything is asked, and not accepted unasked") {
  Lossy h;
  CHECK(h.run({"log", "accept-loss", "--reason", "disk"}, true) == 3);
  CHECK(has(h.err, "acknowledged records of the log are gone"));
  CHECK(has(h.err, "events/1"));
  CHECK(has(h.err, "63"));
  CHECK(has(h.err, "60"));
  CHECK(has(h.err, "nothing was changed"));
  CHECK(has(h.asked, "yes/no"));
  CHECK(h.accepted_reason.empty());
  CHECK(h.out.empty());
}

TEST_CASE("a loss is accepted by a person, or by --yes, with a reason") {
  Lossy h;
  CHECK(h.run({"log", "accept-loss"}, true) == 2);
  h.confirms = true;
  CHECK(h.run({"log", "accept-loss", "--reason", "disk"}, true) == 0);
  CHECK(h.accepted_reason == "disk");
  CHECK(has(h.out, "identity new"));
  CHECK(has(h.out, "/store.before-new"));
  h.confirms = false;
  h.asked.clear();
  CHECK(h.run({"log", "accept-loss", "--reason", "other", "--yes", "--json"}, true) == 0);
  CHECK(h.asked.empty());
  CHECK(h.accepted_reason == "other");
  const auto said = json::parse(h.out);
  REQUIRE(said.ok());
  CHECK(said->get_object().at("new_identity").get_string() == "new");
  const auto& lost = said->get_object().at("partitions").get_array();
  REQUIRE(lost.size() == 2);
  CHECK(json::print(lost[0]) == R"({"topic":"events","partition":1,"expected":63,"found":60})");
}

TEST_CASE("where nothing is missing nothing is accepted") {
  Harness h;
  CHECK(h.run({"log", "accept-loss", "--reason", "disk", "--yes"}, true) == 0);
  CHECK(has(h.err, "nothing is missing"));
  CHECK(h.accepted_reason.empty());
}

}  // namespace
}  // namespace sandtrail
