// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/limits.h"
#include "exchange.h"

using namespace sandtrail;
using namespace sandtrail::http;

namespace {

// Notes what a connection would be asked to do.
struct Notes final : ExchangePort {
  std::vector<std::string> posted;
  void post_answer(Response r) override { posted.push_back("answer " + std::to_string(r.status)); }
  void post_abandoned() override { posted.push_back("abandoned"); }
  void post_stream(Response) override { posted.push_back("stream"); }
  void post_flush() override { posted.push_back("flush"); }
  void post_cut() override { posted.push_back("cut"); }
};

using Lines = std::vector<std::string>;

struct Fixture {
  Notes notes;
  std::shared_ptr<Exchange> exchange = std::make_shared<Exchange>(notes);
  std::shared_ptr<Responder> responder = make_responder(exchange);
  int closed = 0;
  std::function<void()> count() {
    return [this] { ++closed; };
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "the first answer counts, and dropping one unanswered is an answer too") {
  SUBCASE("responded") {
    responder->respond({});
    responder->respond({});
    responder.reset();
    CHECK(notes.posted == Lines{"answer 200"});
  }
  SUBCASE("dropped") {
    responder.reset();
    CHECK(notes.posted == Lines{"abandoned"});
  }
  SUBCASE("streamed") {
    const auto stream = responder->start_stream({});
    responder->respond({});
    responder.reset();
    CHECK(notes.posted == Lines{"stream"});
    stream->finish();
  }
}

TEST_CASE_FIXTURE(Fixture, "the end is told to those who wait for an answer, once") {
  responder->on_closed(count());
  responder->on_closed(count());
  CHECK(closed == 0);
  exchange->end();
  exchange->end();
  CHECK(closed == 2);
  responder->on_closed(count());
  CHECK(closed == 3);
  responder->respond({});
  CHECK(notes.posted.empty());
}

TEST_CASE_FIXTURE(Fixture, "who has answered is told nothing more") {
  responder->on_closed(count());
  responder->respond({});
  responder->on_closed(count());
  exchange->end();
  CHECK(closed == 0);
}

TEST_CASE_FIXTURE(Fixture, "what waits is taken as one, and counted until it is sent") {
  const auto stream = responder->start_stream({});
  CHECK(stream->write(""));
  CHECK(notes.posted == Lines{"stream"});
  const std::size_t half = limits::kHttpStreamBufferBytesMax / 2;
  CHECK(stream->write(std::string(half, 'a')));
  CHECK(stream->write(std::string(half, 'b')));
  CHECK(notes.posted == Lines{"stream", "flush"});
  const auto output = exchange->take();
  CHECK(output.bytes.size() == 2 * half);
  CHECK_FALSE(output.last);
  exchange->sent(half);
  CHECK(stream->write(std::string(half, 'c')));
  CHECK_FALSE(stream->write("d"));
  CHECK_FALSE(stream->write(""));
  CHECK(notes.posted == Lines{"stream", "flush", "flush", "cut"});
  stream->on_closed(count());
  exchange->end();
  CHECK(closed == 1);
}

TEST_CASE_FIXTURE(Fixture, "finishing is passed on with the last bytes") {
  const auto stream = responder->start_stream({});
  stream->write("x");
  stream->finish();
  CHECK_FALSE(stream->write("y"));
  const auto output = exchange->take();
  CHECK(output.bytes == "x");
  CHECK(output.last);
}

TEST_CASE_FIXTURE(Fixture,
                  "a stream dropped unfinished cuts the connection, a finished one does not") {
  auto stream = responder->start_stream({});
  SUBCASE("unfinished") {
    stream.reset();
    CHECK(notes.posted == Lines{"stream", "cut"});
  }
  SUBCASE("finished") {
    stream->finish();
    stream.reset();
    CHECK(notes.posted == Lines{"stream", "flush"});
  }
  SUBCASE("ended") {
    exchange->end();
    stream.reset();
    CHECK(notes.posted == Lines{"stream"});
  }
}

TEST_CASE_FIXTURE(Fixture, "callbacks may call back") {
  const auto stream = responder->start_stream({});
  stream->on_closed([&] {
    CHECK_FALSE(stream->write("x"));
    stream->finish();
    stream->on_closed(count());
  });
  exchange->end();
  CHECK(closed == 1);
}
