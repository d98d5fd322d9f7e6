// SPDX-License-Identifier: Apache-2.0
#include "output_text.h"

#include <doctest/doctest.h>

#include "base/limits.h"
#include "base/random.h"
#include "http/sse.h"
#include "text.h"

using namespace sandtrail;
using namespace sandtrail::gateway;

namespace {

http::SseEvent parsed(const std::string& text) {
  http::SseEvent event;
  http::SseParser parser;
  REQUIRE(parser.feed(text, [&](const http::SseEvent& one) { event = one; }).ok());
  return event;
}

}  // namespace

TEST_CASE("a character that may go on is not whole yet") {
  struct Row {
    Bytes bytes;
    std::size_t whole;
  };
  for (const Row& row : {
           Row{"", 0},
           Row{"abc", 3},
           Row{"a\xC3", 1},
           Row{"a\xC3\xA9", 3},
           Row{"a\xE2\x82", 1},
           Row{"a\xE2", 1},
           Row{"a\xE2\x82\xAC", 4},
           Row{"\xE0", 0},
           Row{"\xE0\x80", 2},  // overlong: nothing can mend it
           Row{"\xED\xA0", 2},  // a surrogate
           Row{"\xF0", 0},
           Row{"\xF0\x9F", 0},
           Row{"\xF0\x9F\x98", 0},
           Row{"\xF0\x9F\x98\x80", 4},
           Row{"\xF0\x80", 2},
           Row{"\xF4\x90", 2},
           Row{"\xF5", 1},
           Row{"\xC0", 1},
           Row{"\xFF", 1},
           Row{"\x80\x80\x80\x80", 4},
           Row{"a\x80", 2},
       }) {
    CAPTURE(hex(row.bytes));
    CHECK(whole_characters(row.bytes) == row.whole);
  }
}

TEST_CASE("ids of events are read as they are written, and nothing else is") {
  for (const OutputCursor& cursor : {OutputCursor{0, {}}, OutputCursor{3, {17, 65536}}}) {
    const auto back = parse_cursor(text_of(cursor));
    REQUIRE(back);
    CHECK(back->attempt == cursor.attempt);
    CHECK(back->seen == cursor.seen);
  }
  for (const char* bad : {"", "1", "1-2", "1-2-", "1-2-3-4", "1-2-3 ", " 1-2-3", "-1-2-3", "1--2-3",
                          "a-b-c", "1-2-99999999", "99999999999-0-0", "1-2-99999999999999999999"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_cursor(bad));
  }
}

TEST_CASE("text cut anywhere comes as whole characters") {
  const Bytes text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    OutputPieces pieces(5);
    Bytes all;
    for (const auto& part : {text.substr(0, cut), text.substr(cut)}) {
      for (const auto& piece : pieces.add(part)) {
        CHECK(is_utf8(piece.bytes));
        CHECK(piece.offset == 5 + static_cast<std::int64_t>(all.size()));
        all += piece.bytes;
      }
    }
    CHECK(all == text);
    CHECK(pieces.flush().empty());
  }
}

TEST_CASE("any bytes in any parts come whole and in order, in pieces that fit an event") {
  SeededRandom random(11);
  for (int round = 0; round < 200; ++round) {
    OutputPieces pieces;
    Bytes given, got;
    const auto take = [&](const std::vector<OutputPieces::Piece>& some) {
      for (const auto& piece : some) {
        CHECK(piece.offset == static_cast<std::int64_t>(got.size()));
        CHECK(piece.bytes.size() <= limits::kLiveChunkBytesMax);
        CHECK_FALSE(piece.bytes.empty());
        got += piece.bytes;
      }
    };
    for (int part = 0; part < 5; ++part) {
      Bytes bytes = random.bytes(random.below(round % 20 == 0 ? 100'000 : 8));
      if (round % 3 == 0) std::fill(bytes.begin(), bytes.end(), '\x80');
      given += bytes;
      take(pieces.add(bytes));
      CHECK(pieces.received() == static_cast<std::int64_t>(given.size()));
      CHECK(given.size() - got.size() <= 3);
    }
    take(pieces.flush());
    CHECK(got == given);
  }
}

TEST_CASE("pieces are text where that is cheap, else base64") {
  struct Row {
    Bytes bytes;
    std::string data;
  };
  for (const Row& row : {
           Row{"hello\n", R"({"offset":7,"text":"hello\n"})"},
           Row{"\xC3\xA9", "{\"offset\":7,\"text\":\"\xC3\xA9\"}"},
           Row{std::string("a\0b", 3), R"({"offset":7,"text":"a\u0000b"})"},
           Row{"\xff", R"({"offset":7,"base64":"/w=="})"},
           Row{Bytes(9, '\1'), R"({"offset":7,"base64":"AQEBAQEBAQEB"})"},
       }) {
    const auto event = parsed(piece_event(OutputStream::err, {7, row.bytes}, {2, {1, 8}}));
    CHECK(event.event == "stderr");
    CHECK(event.id == "2-1-8");
    CHECK(event.data == row.data);
  }
}

TEST_CASE("all that can be kept of both streams fits what a connection buffers") {
  const auto most = static_cast<std::size_t>(limits::kOutputBytesMax);
  for (const char c : {'x', '\n', '\1', '\xff', '"'}) {
    for (const std::string filler : {"", "y"}) {
      std::string wire;
      for (const auto stream : {OutputStream::out, OutputStream::err}) {
        Bytes all;
        while (all.size() < most) all += filler + c;
        all.resize(most);
        OutputPieces pieces;
        for (const auto& piece : pieces.add(all)) wire += piece_event(stream, piece, {1, {}});
        for (const auto& piece : pieces.flush()) wire += piece_event(stream, piece, {1, {}});
      }
      CHECK(wire.size() < limits::kHttpStreamBufferBytesMax);
    }
  }
}

TEST_CASE("the last event says how it ended") {
  ExecutionDoc doc;
  doc.status = ExecutionStatus::lost;
  doc.reason = "host_gone";
  CHECK(parsed(finished_event(doc, {1, {2, 3}})).data ==
        R"({"status":"lost","reason":"host_gone","erased":false})");
  doc = {};
  doc.status = ExecutionStatus::finished;
  doc.result = ResultDoc{};
  doc.result->verdict = Verdict::nonzero_exit;
  doc.result->exit_code = 7;
  doc.result->out = {100, 10, true};
  const auto event = parsed(finished_event(doc, {1, {10, 0}}));
  CHECK(event.event == "finished");
  CHECK(event.id == "1-10-0");
  CHECK(event.data ==
        R"({"status":"finished","verdict":"nonzero_exit","exit_code":7,"stdout_bytes":100,)"
        R"("stdout_truncated":true,"stderr_bytes":0,"stderr_truncated":false,"erased":false})");
}
