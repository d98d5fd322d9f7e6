// SPDX-License-Identifier: Apache-2.0
// A gateway believes no host: what a lying one can make of it.
#include "live_output/remote_source.h"

#include <doctest/doctest.h>

#include <optional>

#include "http/scripted_client.h"
#include "http/sse.h"

using namespace sandtrail;

namespace {

const ExecutionId kExecution = ExecutionId::derived("0123456789abcdef");

std::string event(const std::string& name, const std::string& data) {
  return http::sse_text({"", name, data});
}
std::string chunk(const std::string& stream, std::int64_t offset, BytesView bytes) {
  return event("chunk", R"({"stream":")" + stream + R"(","offset":)" + std::to_string(offset) +
                            R"(,"bytes":")" + base64(bytes) + "\"}");
}
const std::string kOver = event("end", R"({"end":"over"})");

struct Story {
  std::string out, err, cuts;
  std::optional<OutputEnd> end;
  int ends = 0;
};

struct World {
  ManualClock clock;
  http::ScriptedClient client{clock};
  RemoteOutputSource source{client, {"http", seconds(15)}};
  Story story;
  std::unique_ptr<OutputSubscription> subscription;

  void follow(const OutputOffsets& from = {}, const std::string& address = "10.0.0.1:7443") {
    OutputSink sink;
    sink.on_bytes = [this](OutputStream stream, std::int64_t, BytesView bytes) {
      (stream == OutputStream::out ? story.out : story.err) += bytes;
    };
    sink.on_cut = [this](OutputStream stream, OutputCut cut) {
      story.cuts += std::string(enum_text(stream)) + ":" + std::string(enum_text(cut)) + " ";
    };
    sink.on_end = [this](OutputEnd end) {
      story.end = end;
      ++story.ends;
    };
    subscription = source.follow({kExecution, 3, address}, from, std::move(sink));
    client.deliver();
  }
  void answer(std::vector<Bytes> pieces, int status = 200) {
    http::ClientResponse response;
    response.status = status;
    client.push({std::move(response), Millis{0}, std::move(pieces)});
  }
};

}  // namespace

TEST_CASE("it asks the host for the attempt from the offsets") {
  World world;
  world.answer({kOver});
  world.follow({7, 9});
  const auto request = world.client.requests().at(0);
  CHECK(request.method == "GET");
  CHECK(request.url.text() == "http://10.0.0.1:7443/data/v1/executions/" + kExecution.text() +
                                  "/attempts/3/output?stdout=7&stderr=9");
  CHECK(request.timeout == seconds(15));
  CHECK(world.story.end == OutputEnd::over);
}

TEST_CASE("a stream that is cut into pieces anywhere is read as it was") {
  const std::string whole = chunk("stdout", 0, "he") + ": \n\n" + chunk("stdout", 2, "llo") +
                            chunk("stderr", 0, std::string("\0\xff", 2)) +
                            event("cut", R"({"stream":"stdout","cut":"cap","later":1})") + kOver;
  for (std::size_t size = 1; size < 40; size += 3) {
    World world;
    std::vector<Bytes> pieces;
    for (std::size_t at = 0; at < whole.size(); at += size) {
      pieces.push_back(whole.substr(at, size));
    }
    world.answer(std::move(pieces));
    world.follow();
    CHECK(world.story.out == "hello");
    CHECK(world.story.err == std::string("\0\xff", 2));
    CHECK(world.story.cuts == "stdout:cap ");
    CHECK(world.story.end == OutputEnd::over);
    CHECK(world.story.ends == 1);
  }
}

TEST_CASE("what is no stream of ours is broken, and said once") {
  struct Row {
    const char* name;
    std::vector<Bytes> pieces;
    const char* out;
  };
  const Bytes big(limits::kLiveChunkBytesMax, 'x');
  std::vector<Bytes> endless;
  for (int i = 0; i < 20; ++i) {
    endless.push_back(chunk("stdout", i * static_cast<std::int64_t>(big.size()), big));
  }
  for (const Row& row : {
           Row{"no end", {chunk("stdout", 0, "a")}, "a"},
           Row{"a gap", {chunk("stdout", 0, "a"), chunk("stdout", 2, "b"), kOver}, "a"},
           Row{"a repeat", {chunk("stdout", 0, "a"), chunk("stdout", 0, "a"), kOver}, "a"},
           Row{"no JSON", {event("chunk", "x"), kOver}, ""},
           Row{"no object", {event("chunk", "[]"), kOver}, ""},
           Row{"no base64", {event("chunk", R"({"stream":"stdout","offset":0,"bytes":"*"})")}, ""},
           Row{"no stream", {event("chunk", R"({"stream":"x","offset":0,"bytes":""})")}, ""},
           Row{"unknown type", {event("other", "{}"), kOver}, ""},
           Row{"too long a line", {"data: " + Bytes(3u << 20, 'x'), kOver}, ""},
       }) {
    CAPTURE(row.name);
    World world;
    world.answer(row.pieces);
    world.follow();
    CHECK(world.story.out == row.out);
    CHECK(world.story.end == OutputEnd::broken);
    CHECK(world.story.ends == 1);
  }
  World world;
  world.answer(endless);
  world.follow();
  CHECK(world.story.out.size() <= static_cast<std::size_t>(limits::kOutputBytesMax));
  CHECK(world.story.end == OutputEnd::broken);
}

TEST_CASE("an address that is more than host and port reaches nobody") {
  for (const std::string address :
       {"", "host", "host:1/path", "host:1?x=", "host:1#", "user@host:1", "host:1/../..", "a b:1",
        "host:99999", "host:1\r\nX: y"}) {
    CAPTURE(address);
    World world;
    world.follow({}, address);
    if (address != "host") {  // the scheme's port
      CHECK(world.client.requests().empty());
    }
    CHECK(world.story.end == OutputEnd::broken);
  }
}

TEST_CASE("refusals and failures of the way there are told apart") {
  struct Row {
    Result<http::ClientResponse> result;
    OutputEnd end;
  };
  http::ClientResponse forbidden;
  forbidden.status = 403;
  for (const Row& row : {Row{forbidden, OutputEnd::broken},
                         Row{Error{ErrorCode::unavailable, "no route", ""}, OutputEnd::broken},
                         Row{Error{ErrorCode::timeout, "silent", ""}, OutputEnd::broken},
                         Row{Error{ErrorCode::overloaded, "full", ""}, OutputEnd::overloaded}}) {
    World world;
    world.client.push({row.result, Millis{0}, {}});
    world.follow();
    CHECK(world.story.end == row.end);
  }
}

TEST_CASE("a dropped subscription stops the request at the next bytes, and hears nothing") {
  World world;
  http::ScriptedAnswer late;
  late.result = http::ClientResponse{};
  late.delay = Millis{10};
  late.pieces = {chunk("stdout", 0, "a"), kOver};
  world.client.push(late);
  world.follow();
  world.subscription.reset();
  world.clock.advance(Millis{10});
  world.client.deliver();
  CHECK(world.story.out == "");
  CHECK(world.story.ends == 0);
  CHECK(world.client.in_flight() == 0);
}
