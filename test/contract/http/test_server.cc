// SPDX-License-Identifier: Apache-2.0
#include "test_server.h"

#include <chrono>
#include <stdexcept>

#include "http_beast/server.h"

namespace sandtrail::http::test {
namespace {

Response with(int status, Bytes body = "") {
  Response out;
  out.status = status;
  out.body = std::move(body);
  return out;
}

template <typename T>
T take_front(std::deque<T>& queue, std::mutex& mutex, std::condition_variable& changed) {
  std::unique_lock lock(mutex);
  if (!changed.wait_for(lock, std::chrono::milliseconds(kPatienceMs),
                        [&] { return !queue.empty(); })) {
    throw std::runtime_error("the handler was not called");
  }
  T out = std::move(queue.front());
  queue.pop_front();
  return out;
}

}  // namespace

TestServer::TestServer(int threads, ServerOptions options) : tls_(options.tls.has_value()) {
  auto started = start_server(
      std::move(options),
      [this](Request request, std::shared_ptr<Responder> responder) {
        handle(std::move(request), std::move(responder));
      },
      threads, clock_);
  if (!started) throw std::runtime_error(started.error().text());
  server_ = std::move(*started);
}

TestServer::~TestServer() {
  server_.reset();
}

RawSocket TestServer::start(RawSocket socket) const {
  if (tls_ && !socket.start_tls({})) throw std::runtime_error("the handshake failed");
  return socket;
}

void TestServer::handle(Request request, std::shared_ptr<Responder> responder) {
  const std::string path = request.path;
  const std::lock_guard lock(mutex_);
  last_ = request;
  changed_.notify_all();
  if (path == "/hold") {
    held_.push_back(std::move(responder));
  } else if (path == "/stream") {
    Response head;
    head.fields.add("Content-Type", "text/event-stream");
    streams_.push_back(responder->start_stream(std::move(head)));
  } else if (path == "/throw") {
    throw std::runtime_error("a handler's fault");
  } else if (path == "/big") {
    responder->respond(with(200, Bytes(16u << 20, 'x')));
  } else if (path == "/204") {
    responder->respond(with(204, "not to be sent"));
  } else if (path == "/split") {
    Response response = with(200, "body");
    response.fields.add("X", "a\r\nSet-Cookie: b");
    responder->respond(std::move(response));
  } else if (path == "/close") {
    Response response = with(200, "bye");
    response.fields.add("Connection", "close");
    responder->respond(std::move(response));
  } else if (path != "/drop") {
    const auto field = request.fields.get("X").value_or("");
    responder->respond(with(200, request.method + " " + path + "?" + request.query + "|" +
                                     std::string(field) + "|" + request.body));
  }
}

std::string TestServer::url(std::string_view target) const {
  return (tls_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(server_->port()) +
         std::string(target);
}

std::shared_ptr<Responder> TestServer::take_held() {
  return take_front(held_, mutex_, changed_);
}
std::shared_ptr<Stream> TestServer::take_stream() {
  return take_front(streams_, mutex_, changed_);
}

std::size_t TestServer::held() {
  const std::lock_guard lock(mutex_);
  return held_.size();
}

void TestServer::drop_streams() {
  std::deque<std::shared_ptr<Stream>> dropped;  // outside the lock: the end of one calls back
  const std::lock_guard lock(mutex_);
  dropped.swap(streams_);
}

Request TestServer::last_request() {
  const std::lock_guard lock(mutex_);
  return last_;
}

bool TestServer::pass_time_until(const std::function<bool()>& condition) {
  int polls = 0;
  return eventually([&] {
    if (polls++ % 32 == 0) clock_->advance(minutes(2));
    return condition();
  });
}

}  // namespace sandtrail::http::test
