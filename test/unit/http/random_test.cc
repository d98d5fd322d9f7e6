// SPDX-License-Identifier: Apache-2.0
// Random input by seed: no crash, no broken invariant, and what is accepted survives a round trip.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "http/client.h"
#include "http/message.h"
#include "http/sse.h"

using namespace sandtrail;
using namespace sandtrail::http;

namespace {

constexpr int kRounds = 20'000;

// Pieces that mean something to the parser, with raw bytes between them.
std::string compose(Random& random, const std::vector<std::string>& pieces, std::size_t count_max) {
  std::string out;
  for (std::size_t i = random.below(count_max + 1); i > 0; --i) {
    if (random.below(8) == 0) {
      out += random.bytes(1);
    } else {
      out += pieces[random.below(pieces.size())];
    }
  }
  return out;
}

std::string encode(std::string_view text) {
  std::string out;
  for (const char c : text) out += "%" + hex(std::string_view(&c, 1));
  return out;
}

}  // namespace

TEST_CASE("whatever parse_url accepts has one normal form") {
  const std::vector<std::string> pieces{"http://",   "https://", "HTTP:", "//",  "/", "a",  "B.c",
                                        "127.0.0.1", "0x7f",     "1",     ".",   ":", "80", "[",
                                        "::1",       "]",        "%",     "%41", "?", "#",  "@",
                                        "\\",        "=",        "&",     "-",   "_", "..", "x=1"};
  SeededRandom random(1);
  int accepted = 0;
  for (int i = 0; i < kRounds; ++i) {
    std::string text = compose(random, pieces, 8);
    if (random.below(2) == 0) text.insert(0, "http://a");
    CAPTURE(text);
    const auto url = parse_url(text);
    if (!url) continue;
    ++accepted;
    const auto again = parse_url(url->text());
    REQUIRE(again.ok());
    REQUIRE(again->text() == url->text());
    REQUIRE(again->host == url->host);
    REQUIRE(again->target == url->target);
    ClientRequest request;
    request.url = *url;
    REQUIRE(check_request(request).ok());
  }
  CHECK(accepted > kRounds / 50);
}

TEST_CASE("whatever parse_query accepts reads the same when it is encoded again") {
  const std::vector<std::string> pieces{"a", "b",   "=",      "&",   "+",
                                        "%", "%20", "%C3%A4", "%ff", "%00"};
  SeededRandom random(2);
  int accepted = 0;
  for (int i = 0; i < kRounds; ++i) {
    const std::string text = compose(random, pieces, 10);
    CAPTURE(text);
    const auto pairs = parse_query(text);
    if (!pairs) continue;
    ++accepted;
    std::string again;
    for (const auto& [name, value] : *pairs) {
      REQUIRE(is_utf8(name));
      REQUIRE(is_utf8(value));
      again += encode(name) + "=" + encode(value) + "&";
    }
    REQUIRE(parse_query(again) == pairs);
  }
  CHECK(accepted > kRounds / 10);
}

TEST_CASE("any bytes can be fed to the SSE parser, cut anywhere") {
  const std::vector<std::string> pieces{"data", "id", "event",     "retry",   ":",
                                        " ",    "\n", "\r",        "\r\n",    "\n\n",
                                        "x",    "1",  "data: x\n", "id: 1\n", "\xEF\xBB\xBF"};
  SeededRandom random(3);
  for (int i = 0; i < kRounds / 4; ++i) {
    const std::string text = compose(random, pieces, 30);
    CAPTURE(hex(text));
    const auto read = [&](bool cut) {
      SseParser parser;
      std::string events;
      std::string_view rest = text;
      while (!rest.empty()) {
        const std::size_t count = cut ? 1 + random.below(rest.size()) : rest.size();
        REQUIRE(parser
                    .feed(rest.substr(0, count),
                          [&](const SseEvent& e) {
                            events += e.id + "|" + e.event + "|" + e.data + "\n--\n";
                          })
                    .ok());
        rest.remove_prefix(count);
      }
      return events + parser.last_event_id();
    };
    REQUIRE(read(true) == read(false));
  }
}

TEST_CASE("events survive being written and read") {
  const std::vector<std::string> pieces{"a", "\n", ":", " ", "data: ", "id", "\xC3\xA4", "\n\n"};
  const std::vector<std::string> words{"a", "B", "1", "-", ":", " x"};
  SeededRandom random(4);
  for (int i = 0; i < kRounds / 4; ++i) {
    // A CR in data arrives as LF, line breaks in the others are dropped: not part of the promise.
    SseEvent event{"i" + compose(random, words, 3), compose(random, words, 3),
                   compose(random, pieces, 10)};
    for (std::string* text : {&event.id, &event.event, &event.data}) {
      std::erase_if(*text, [](char c) { return c == '\r' || c == '\0'; });
    }
    std::erase(event.id, '\n');
    std::erase(event.event, '\n');
    // One blank after the colon belongs to the format.
    std::vector<SseEvent> got;
    SseParser parser;
    REQUIRE(
        parser.feed(sse_comment() + sse_text(event), [&](const SseEvent& e) { got.push_back(e); })
            .ok());
    REQUIRE(got.size() == 1);
    REQUIRE(got[0].id == event.id);
    REQUIRE(got[0].event == event.event);
    REQUIRE(got[0].data == event.data);
  }
}
