// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <string>

#include <vector>

#include "base/limits.h"
#include "http/sse.h"

using namespace sandtrail;
using namespace sandtrail::http;

namespace {

std::vector<SseEvent> read_all(SseParser& parser, std::string_view text, std::size_t piece) {
  std::vector<SseEvent> events;
  while (!text.empty()) {
    const auto status =
        parser.feed(text.substr(0, piece), [&](const SseEvent& event) { events.push_back(event); });
    REQUIRE(status.ok());
    text.remove_prefix(std::min(piece, text.size()));
  }
  return events;
}

}  // namespace

TEST_CASE("events are written line by line") {
  CHECK(sse_text({"7", "execution", "{}"}) == "id: 7\nevent: execution\ndata: {}\n\n");
  CHECK(sse_text({"", "", "a\nb\r\nc\rd"}) == "data: a\ndata: b\ndata: c\ndata: d\n\n");
  CHECK(sse_text({"", "", ""}) == "data: \n\n");
  CHECK(sse_text({"", "", "a\n"}) == "data: a\ndata: \n\n");
  CHECK(sse_comment() == ": \n\n");
  CHECK(sse_comment("still here") == ": still here\n\n");
  CHECK(sse_retry(seconds(3)) == "retry: 3000\n\n");
}

TEST_CASE("no text can break out of its line") {
  CHECK(sse_text({"1\ndata: x", "e\r\n\r\nid: 2", "d"}) ==
        "id: 1data: x\nevent: eid: 2\ndata: d\n\n");
  CHECK(sse_text({std::string("1\0002", 3), "", "d"}) == "id: 12\ndata: d\n\n");
  CHECK(sse_comment("a\n\ndata: x\n\n") == ": adata: x\n\n");
}

TEST_CASE("a stream is read the same wherever it is cut") {
  struct Row {
    const char* text;
    std::vector<SseEvent> events;
    const char* last_id;
  };
  const Row rows[] = {
      {"data: a\n\n", {{"", "", "a"}}, ""},
      {"data:a\r\ndata: b\r\n\r\n", {{"", "", "a\nb"}}, ""},
      {"data: a\rdata: b\r\r", {{"", "", "a\nb"}}, ""},
      {"\xEF\xBB\xBF"
       "data: a\n\n",
       {{"", "", "a"}},
       ""},
      {"id: 1\nevent: e\ndata: x\n\ndata: y\n\n", {{"1", "e", "x"}, {"1", "", "y"}}, "1"},
      {"id: 1\ndata: x\n\nid\ndata: y\n\n", {{"1", "", "x"}, {"", "", "y"}}, ""},
      {": comment\n\n:\n\ndata: x\n\n", {{"", "", "x"}}, ""},
      {"event: e\n\ndata: x\n\n", {{"", "", "x"}}, ""},
      {"data\n\n", {{"", "", ""}}, ""},
      {"data\ndata\n\n", {{"", "", "\n"}}, ""},
      {"data:  two blanks\n\n", {{"", "", " two blanks"}}, ""},
      {"unknown: 1\ndata: x\nDATA: y\n\n", {{"", "", "x"}}, ""},
      {"data: unfinished\n", {}, ""},
      {"id: 5\n\n", {}, "5"},
      {"id: 5\n", {}, ""},
      {"\n\n\n", {}, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.text));
    for (const std::size_t piece : {1u, 2u, 3u, 1000u}) {
      SseParser parser;
      const auto events = read_all(parser, row.text, piece);
      REQUIRE(events.size() == row.events.size());
      for (std::size_t i = 0; i < events.size(); ++i) {
        CHECK(events[i].id == row.events[i].id);
        CHECK(events[i].event == row.events[i].event);
        CHECK(events[i].data == row.events[i].data);
      }
      CHECK(parser.last_event_id() == row.last_id);
    }
  }
}

TEST_CASE("the wished-for wait is digits only and bounded") {
  SseParser parser;
  CHECK_FALSE(parser.retry().has_value());
  read_all(parser, "retry: 1500\n", 100);
  CHECK(parser.retry() == Millis{1500});
  read_all(parser, "retry: -1\nretry: 1x\nretry:\n", 100);
  CHECK(parser.retry() == Millis{1500});
  read_all(parser, "retry: 99999999999999999999999999\n", 100);
  CHECK(parser.retry() == hours(24));
}

TEST_CASE("an event without end does not fill the memory") {
  const std::string piece(64 * 1024, 'x');
  for (const char* separator : {"", "\ndata: "}) {
    SseParser parser;
    Status status = parser.feed("data: ", [](const SseEvent&) {});
    std::size_t fed = 0;
    while (status.ok() && fed < 2 * limits::kSseEventBytesMax) {
      status = parser.feed(separator + piece, [](const SseEvent&) {});
      fed += piece.size();
    }
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code == ErrorCode::overloaded);
    CHECK(fed <= limits::kSseEventBytesMax + piece.size());
    CHECK_FALSE(parser.feed("\n\n", [](const SseEvent&) { FAIL("an event"); }).ok());
  }
}
