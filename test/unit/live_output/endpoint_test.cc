// SPDX-License-Identifier: Apache-2.0
#include "live_output/output_endpoint.h"

#include <doctest/doctest.h>

#include <optional>

#include "live_output/output_hub.h"

using namespace sandtrail;

namespace {

const ExecutionId kExecution = ExecutionId::derived("0123456789abcdef");

struct Answer {
  std::optional<http::Response> response;
  Bytes text;
  bool finished = false;
  bool cut = false;
  bool refuses = false;  // write() says that the peer is gone
  std::function<void()> closed;
};

class FakeStream final : public http::Stream {
 public:
  explicit FakeStream(Answer& answer) : answer_(answer) {}
  ~FakeStream() override { answer_.cut = !answer_.finished; }
  bool write(Bytes chunk) override {
    answer_.text += chunk;
    return !answer_.refuses;
  }
  void finish() override { answer_.finished = true; }
  void on_closed(std::function<void()> closed) override { answer_.closed = std::move(closed); }

 private:
  Answer& answer_;
};

class FakeResponder final : public http::Responder {
 public:
  explicit FakeResponder(Answer& answer) : answer_(answer) {}
  void respond(http::Response response) override { answer_.response = std::move(response); }
  std::shared_ptr<http::Stream> start_stream(http::Response head) override {
    answer_.response = std::move(head);
    return std::make_shared<FakeStream>(answer_);
  }
  void on_closed(std::function<void()>) override {}

 private:
  Answer& answer_;
};

struct World {
  OutputHub hub;
  OutputEndpoint endpoint{hub, {seconds(5), false}};
  std::string base = "/data/v1/executions/" + kExecution.text();

  void ask(Answer& answer, const std::string& path, const std::string& query = "",
           const std::string& role = "", const std::string& method = "GET") {
    http::Request request;
    request.method = method;
    request.path = path;
    request.query = query;
    if (!role.empty()) request.peer = http::PeerIdentity{role, "name"};
    endpoint.handler()(std::move(request), std::make_shared<FakeResponder>(answer));
  }
};

}  // namespace

TEST_CASE("what is no request for output is refused") {
  struct Row {
    std::string path;
    std::string query;
    int status;
  };
  World world;
  const std::string good = world.base + "/attempts/1/output";
  for (const Row& row : {
           Row{"/", "", 404},
           Row{"/data/v1/executions//attempts/1/output", "", 404},
           Row{"/data/v1/executions/exe_x/attempts/1/output", "", 404},
           Row{world.base + "/output", "", 404},
           Row{world.base + "/attempts//output", "", 404},
           Row{world.base + "/attempts/x/output", "", 404},
           Row{world.base + "/attempts/-1/output", "", 404},
           Row{world.base + "/attempts/1/output/more", "", 404},
           Row{world.base + "/attempts/99999999999999999999/output", "", 404},
           Row{good, "stdout=x", 400},
           Row{good, "stdout=-1", 400},
           Row{good, "stdin=0", 400},
           Row{good, "stdout=%f", 400},
       }) {
    CAPTURE(row.path);
    CAPTURE(row.query);
    Answer answer;
    world.ask(answer, row.path, row.query);
    REQUIRE(answer.response);
    CHECK(answer.response->status == row.status);
    CHECK(answer.text.empty());
  }
  Answer posted;
  world.ask(posted, good, "", "", "POST");
  CHECK(posted.response->status == 405);
  CHECK(posted.response->fields.get("Allow") == "GET");
}

TEST_CASE("over TLS only gateways are served") {
  World world;
  world.hub.begin(kExecution, 1);
  const std::string path = world.base + "/attempts/1/output";
  for (const std::string role : {"host", "launcher", "operator", "Gateway", "gateway2"}) {
    CAPTURE(role);
    Answer answer;
    world.ask(answer, path, "", role);
    CHECK(answer.response->status == 403);
  }
  CHECK(world.hub.followers() == 0);
  Answer answer;
  world.ask(answer, path, "", "gateway");
  CHECK(answer.response->status == 200);
  CHECK(world.hub.followers() == 1);
}

TEST_CASE("output, cuts and the end are events as documented") {
  World world;
  Answer answer;
  world.hub.begin(kExecution, 2);
  world.hub.write(kExecution, 2, OutputStream::out, 0, "hello");
  world.ask(answer, world.base + "/attempts/2/output", "stdout=1&stderr=0");
  CHECK(answer.response->fields.get("Content-Type") == "text/event-stream");
  world.hub.write(kExecution, 2, OutputStream::err, 0, "");
  world.endpoint.beat();
  world.hub.end(kExecution, 2);
  CHECK(answer.text ==
        "event: chunk\ndata: {\"stream\":\"stdout\",\"offset\":1,\"bytes\":\"ZWxsbw==\"}\n\n"
        "event: cut\ndata: {\"stream\":\"stderr\",\"cut\":\"cap\"}\n\n"
        ": \n\n"
        "event: end\ndata: {\"end\":\"over\"}\n\n");
  CHECK(answer.finished);
  CHECK(world.endpoint.open() == 0);
}

TEST_CASE("an attempt that does not run is told as unknown, in the stream") {
  World world;
  Answer answer;
  world.ask(answer, world.base + "/attempts/1/output");
  CHECK(answer.text == "event: end\ndata: {\"end\":\"unknown\"}\n\n");
  CHECK(answer.finished);
  CHECK(world.endpoint.open() == 0);
}

TEST_CASE("a gateway that is gone is forgotten, however that shows") {
  World world;
  world.hub.begin(kExecution, 1);
  const std::string path = world.base + "/attempts/1/output";
  Answer closed, refusing, silent;
  world.ask(closed, path);
  world.ask(refusing, path);
  world.ask(silent, path);
  CHECK(world.hub.followers() == 3);
  closed.closed();
  CHECK(world.hub.followers() == 2);
  refusing.refuses = true;
  world.hub.write(kExecution, 1, OutputStream::out, 0, "x");
  CHECK(world.hub.followers() == 1);
  silent.refuses = true;
  world.endpoint.beat();
  CHECK(world.hub.followers() == 0);
  CHECK(world.endpoint.open() == 0);
}

TEST_CASE("an endpoint that ends cuts what is open, without saying that it is over") {
  OutputHub hub;
  hub.begin(kExecution, 1);
  Answer answer;
  {
    OutputEndpoint endpoint(hub, {seconds(5), true});
    http::Request request;
    request.method = "GET";
    request.path = "/data/v1/executions/" + kExecution.text() + "/attempts/1/output";
    endpoint.handler()(std::move(request), std::make_shared<FakeResponder>(answer));
    CHECK(hub.followers() == 1);
  }
  CHECK(hub.followers() == 0);
  CHECK(answer.cut);
  CHECK(answer.text.empty());
}
