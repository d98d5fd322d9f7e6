// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "base/limits.h"
#include "hosting/protocol.h"

using namespace sandtrail;

namespace {

struct Ids {
  ManualClock clock;
  SeededRandom random{3};
  ExecutionId execution = ExecutionId::fresh(clock, random);
  DataKeyId key = DataKeyId::fresh(clock, random);

  LaunchOrder launch() {
    LaunchOrder order;
    order.by = {3, 7};
    order.execution = execution;
    order.attempt = 2;
    order.host_epoch = 5;
    order.language = "python";
    order.limits.wall_ms = 1234;
    order.input.key = key;
    order.input.bytes = 5;
    order.input.sealed.bytes = std::string("\0\xff sealed", 9);
    order.key = SecretBytes(std::string(32, 'k'));
    return order;
  }
  HostReport report() {
    HostReport out;
    out.partition = 3;
    out.execution = execution;
    out.attempt = 2;
    return out;
  }
};

Result<std::vector<NumberedOrder>> over_the_wire(const std::vector<const HostOrder*>& orders) {
  std::vector<Bytes> texts;
  for (std::size_t i = 0; i < orders.size(); ++i) {
    texts.push_back(order_text(static_cast<std::int64_t>(i) + 1, *orders[i]));
  }
  return read_orders(orders_text({texts.begin(), texts.end()}));
}

Result<HostWords> over_the_wire(const HostLoad& load, const std::vector<HostWord>& words) {
  std::vector<Bytes> texts;
  for (const HostWord& word : words) texts.push_back(word_text(word));
  return read_words(words_text(load, {texts.begin(), texts.end()}));
}

}  // namespace

TEST_CASE("hosting: orders arrive as they were given") {
  Ids ids;
  const HostOrder launch = ids.launch();
  const HostOrder cancel = CancelOrder{{3, 7}, ids.execution, 2};
  const HostOrder known = AcknowledgeOrder{{3, 7}, ids.execution, 2};
  const HostOrder owner = TakeOverOrder{{3, 7}};
  const auto read = over_the_wire({&launch, &cancel, &known, &owner});
  REQUIRE(read.ok());
  REQUIRE(read->size() == 4);
  CHECK((*read)[3].number == 4);
  const auto& got = std::get<LaunchOrder>((*read)[0].order);
  CHECK(got.by.partition == 3);
  CHECK(got.by.owner_epoch == 7);
  CHECK(got.execution == ids.execution);
  CHECK(got.attempt == 2);
  CHECK(got.host_epoch == 5);
  CHECK(got.language == "python");
  CHECK(got.limits.wall_ms == 1234);
  CHECK(got.input.key == ids.key);
  CHECK(got.input.sealed.bytes == std::string("\0\xff sealed", 9));
  CHECK(got.key.view() == std::string(32, 'k'));
  CHECK(std::get<CancelOrder>((*read)[1].order).attempt == 2);
  CHECK(std::get<AcknowledgeOrder>((*read)[2].order).execution == ids.execution);
  CHECK(std::get<TakeOverOrder>((*read)[3].order).by.owner_epoch == 7);
  CHECK(over_the_wire({}).ok());
}

TEST_CASE("hosting: reports arrive as they were made") {
  Ids ids;
  HostReport refused = ids.report();
  refused.what = ExecutionRefused{ids.execution, 2, 5, "full"};
  HostReport started = ids.report();
  started.what = ExecutionStarted{ids.execution, 2, 5};
  HostReport finished = ids.report();
  ExecutionFinished result;
  result.host_epoch = 5;
  result.verdict = Verdict::ok;
  result.usage.wall_us = 17;
  result.evidence = {"exit_code=0"};
  result.payload.emplace().key = ids.key;
  finished.what = result;
  const TakenOver taken{9, 3, {{ids.execution, 2, 4, true}, {ids.execution, 1, 5, false}}};
  HostLoad load;
  load.elsewhere = 2;
  load.draining = true;
  const auto read = over_the_wire(load, {refused, started, finished, taken});
  REQUIRE(read.ok());
  CHECK(read->load == load);
  REQUIRE(read->words.size() == 4);
  const auto& first = std::get<HostReport>(read->words[0]);
  CHECK(first.partition == 3);
  CHECK(std::get<ExecutionRefused>(first.what).reason == "full");
  CHECK(std::get<ExecutionRefused>(first.what).host_epoch == 5);
  CHECK(std::holds_alternative<ExecutionStarted>(std::get<HostReport>(read->words[1]).what));
  const auto& end = std::get<ExecutionFinished>(std::get<HostReport>(read->words[2]).what);
  CHECK(end.usage.wall_us == 17);
  CHECK(end.evidence == std::vector<std::string>{"exit_code=0"});
  CHECK(end.payload->key == ids.key);
  const auto& held = std::get<TakenOver>(read->words[3]);
  CHECK(held.order == 9);
  REQUIRE(held.held.size() == 2);
  CHECK(held.held[0].kept);
  CHECK(held.held[0].host_epoch == 4);
  CHECK(held.held[1].attempt == 1);
}

TEST_CASE("hosting: whose attempt a result is, stands in one place only") {
  Ids ids;
  HostReport report = ids.report();
  ExecutionFinished result;
  result.execution = ExecutionId::fresh(ids.clock, ids.random);  // another host's
  result.attempt = 9;
  result.host_epoch = 5;
  report.what = result;
  const auto read = over_the_wire({}, {report});
  REQUIRE(read.ok());
  const auto& got = std::get<HostReport>(read->words.at(0));
  const auto& inner = std::get<ExecutionFinished>(got.what);
  CHECK(inner.execution == ids.execution);
  CHECK(inner.attempt == 2);
}

TEST_CASE("hosting: what is no order is refused whole, without a word of its content") {
  Ids ids;
  const std::string exe = "\"" + ids.execution.text() + "\"";
  const std::string take_over = R"({"number":1,"kind":"take_over","partition":0,"owner_epoch":1})";
  const std::vector<std::string> bad{
      "",
      "secret",
      "{}x",
      R"({"orders":{}})",
      R"({"orders":["secret"]})",
      R"({"orders":[{"number":1,"kind":"explode","partition":0,"owner_epoch":1}]})",
      R"({"orders":[{"number":1,"kind":"take_over","partition":-1,"owner_epoch":1}]})",
      R"({"orders":[{"number":1,"kind":"take_over","partition":256,"owner_epoch":1}]})",
      R"({"orders":[{"number":1,"kind":"take_over","partition":4294967296,"owner_epoch":1}]})",
      R"({"orders":[{"number":1,"kind":"take_over","partition":0,"owner_epoch":0}]})",
      R"({"orders":[{"number":1,"kind":"cancel","partition":0,"owner_epoch":1}]})",
      R"({"orders":[{"number":1,"kind":"cancel","partition":0,"owner_epoch":1,"execution":)" + exe +
          "}]}",
      R"({"orders":[{"number":1,"kind":"launch","partition":0,"owner_epoch":1,"attempt":1,)"
      R"("execution":)" +
          exe + "}]}",
      R"({"orders":[)" + take_over + R"(,{"number":2,"secret":"secret"}]})",
  };
  for (const std::string& body : bad) {
    CAPTURE(body);
    const auto read = read_orders(body);
    REQUIRE(!read.ok());
    CHECK(read.error().code == ErrorCode::invalid_argument);
    CHECK(read.error().text().find("secret") == std::string::npos);
  }
  CHECK(read_orders(R"({"orders":[)" + take_over + R"(],"later":"versions add"})").ok());
}

TEST_CASE("hosting: a launch whose key opens nothing is refused") {
  Ids ids;
  for (const std::size_t bytes : {0u, 31u, 33u}) {
    LaunchOrder order = ids.launch();
    order.key = SecretBytes(Bytes(bytes, 'k'));
    const HostOrder launch = std::move(order);
    CHECK(!over_the_wire({&launch}).ok());
  }
}

TEST_CASE("hosting: what is no report is refused, and texts for people are cut") {
  Ids ids;
  const std::string exe = "\"" + ids.execution.text() + "\"";
  const std::string load = R"({"running":0,"elsewhere":0,"kept":0})";
  const auto with = [&](const std::string& word) {
    return R"({"load":)" + load + R"(,"words":[)" + word + "]}";
  };
  std::string many = R"({"kind":"taken_over","partition":0,"order":1,"held":[)";
  for (std::size_t i = 0; i <= limits::kHostKeptResultsMax + limits::kSlotsMax; ++i) {
    many += (i == 0 ? "" : ",") + std::string(R"({"execution":)") + exe +
            R"(,"attempt":1,"host_epoch":1})";
  }
  const std::vector<std::string> bad{
      R"({"words":[]})",
      with(R"({"kind":"started","partition":300,"execution":)" + exe + R"(,"attempt":1})"),
      with(R"({"kind":"started","partition":0,"attempt":1})"),
      with(R"({"kind":"started","partition":0,"execution":)" + exe + R"(,"attempt":0})"),
      with(R"({"kind":"finished","partition":0,"execution":)" + exe + R"(,"attempt":1})"),
      with(many + "]}"),
  };
  for (const std::string& body : bad) {
    CAPTURE(body.substr(0, 200));
    const auto read = read_words(body);
    REQUIRE(!read.ok());
    CHECK(read.error().code == ErrorCode::invalid_argument);
  }
  const auto cut = read_words(with(R"({"kind":"refused","partition":0,"attempt":1,"execution":)" +
                                   exe + R"(,"reason":")" + std::string(100'000, 'x') + "\"}"));
  REQUIRE(cut.ok());
  const auto& report = std::get<HostReport>(cut->words.at(0));
  CHECK(std::get<ExecutionRefused>(report.what).reason.size() == 512);
}

TEST_CASE("hosting: the largest launch that may be ordered fits its bound") {
  Ids ids;
  LaunchOrder order = ids.launch();
  order.input.sealed.bytes = Bytes(limits::kHostInputBytesMax, '\xff');
  order.language = std::string(32, 'l');
  CHECK(order_text(INT64_MAX, std::move(order)).size() <= limits::kHostOrderBytesMax);
}

TEST_CASE("hosting: the largest result that may be reported fits a request") {
  Ids ids;
  HostReport report = ids.report();
  ExecutionFinished result;
  result.payload.emplace().sealed.bytes = Bytes(limits::kHostOutputBytesMax, '\xff');
  // A control character is six in JSON.
  result.evidence = {std::string(limits::kHostFactsBytesMax, '\x01')};
  report.what = result;
  CHECK(word_text(report).size() + limits::kHostReportBatchBytesMax <=
        limits::kHostReportsBytesMax);
}
