// SPDX-License-Identifier: Apache-2.0
#include "live_output/output_endpoint.h"

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "frames.h"

namespace sandtrail {
namespace {

using live_output::Asked;

constexpr std::string_view kGatewayRole = "gateway";  // the OU of its certificate

http::Response plain(int status, const std::string& text) {
  http::Response response;
  response.status = status;
  response.fields.set("Content-Type", "text/plain; charset=utf-8");
  response.body = text + "\n";
  return response;
}

http::Response stream_head() {
  http::Response head;
  head.fields.set("Content-Type", "text/event-stream");
  head.fields.set("Cache-Control", "no-store");
  return head;
}

}  // namespace

struct OutputEndpoint::Impl : std::enable_shared_from_this<OutputEndpoint::Impl> {
  Impl(OutputSource& s, OutputEndpointOptions o) : source(s), options(o) {}

  OutputSource& source;
  const OutputEndpointOptions options;
  using Id = std::uint64_t;
  struct Open {
    std::shared_ptr<http::Stream> stream;
    std::unique_ptr<OutputSubscription> subscription;
  };
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::map<Id, Open> open;
  Id last_id = 0;
  bool stopped = false;
  std::thread thread;

  void serve(const http::Request& request, http::Responder& responder);
  void follow(const Asked& asked, std::shared_ptr<http::Stream> stream);
  OutputSink sink_of(Id id, const std::shared_ptr<http::Stream>& stream);
  void drop(Id id);
  void beat();
  void loop();
  void stop();
};

void OutputEndpoint::Impl::serve(const http::Request& request, http::Responder& responder) {
  if (request.peer && request.peer->role != kGatewayRole) {
    return responder.respond(plain(403, "only gateways are served here"));
  }
  const auto asked = live_output::parse_path(request.path, request.query);
  if (!asked.ok()) {
    const bool elsewhere = asked.error().code == ErrorCode::not_found;
    return responder.respond(plain(elsewhere ? 404 : 400, asked.error().message));
  }
  if (request.method != "GET") {
    http::Response refusal = plain(405, "only GET");
    refusal.fields.set("Allow", "GET");
    return responder.respond(std::move(refusal));
  }
  follow(*asked, responder.start_stream(stream_head()));
}

void OutputEndpoint::Impl::follow(const Asked& asked, std::shared_ptr<http::Stream> stream) {
  Id id = 0;
  {
    const std::lock_guard lock(mutex);
    if (stopped) return;
    id = ++last_id;
    open[id].stream = stream;
  }
  stream->on_closed([self = weak_from_this(), id] {
    if (const auto impl = self.lock()) impl->drop(id);
  });
  auto subscription =
      source.follow({asked.execution, asked.attempt, ""}, asked.from, sink_of(id, stream));
  const std::lock_guard lock(mutex);
  // It may be over by now: then the subscription ends here, outside of the table.
  const auto found = open.find(id);
  if (found != open.end()) found->second.subscription.swap(subscription);
}

// Holds the stream by a weak reference: what is dropped from the table is cut.
OutputSink OutputEndpoint::Impl::sink_of(Id id, const std::shared_ptr<http::Stream>& stream) {
  const auto write = [self = weak_from_this(), id, to = std::weak_ptr(stream)](
                         const live_output::Frame& frame, bool last) {
    const auto out = to.lock();
    if (!out) return;
    const bool alive = out->write(live_output::text_of(frame));
    if (alive && last) out->finish();
    const auto impl = self.lock();
    if (impl && (!alive || last)) impl->drop(id);
  };
  OutputSink sink;
  sink.on_bytes = [write](OutputStream from, std::int64_t offset, BytesView bytes) {
    write(live_output::ChunkFrame{from, offset, {Bytes(bytes)}}, false);
  };
  sink.on_cut = [write](OutputStream from, OutputCut cut) {
    write(live_output::CutFrame{from, cut}, false);
  };
  sink.on_end = [write](OutputEnd end) { write(live_output::EndFrame{end}, true); };
  return sink;
}

void OutputEndpoint::Impl::drop(Id id) {
  decltype(open)::node_type last;  // ends outside the lock
  const std::lock_guard lock(mutex);
  last = open.extract(id);
}

void OutputEndpoint::Impl::beat() {
  std::vector<std::pair<Id, std::shared_ptr<http::Stream>>> all;
  {
    const std::lock_guard lock(mutex);
    for (const auto& [id, entry] : open) all.emplace_back(id, entry.stream);
  }
  for (const auto& [id, stream] : all) {
    if (!stream->write(http::sse_comment())) drop(id);
  }
}

void OutputEndpoint::Impl::loop() {
  std::unique_lock lock(mutex);
  while (!stopped) {
    changed.wait_for(lock, std::chrono::milliseconds(options.heartbeat.count));
    if (stopped) return;
    lock.unlock();
    beat();
    lock.lock();
  }
}

void OutputEndpoint::Impl::stop() {
  decltype(open) all;  // ends outside the lock
  {
    const std::lock_guard lock(mutex);
    stopped = true;
    all.swap(open);
    changed.notify_all();
  }
  if (thread.joinable()) thread.join();
}

OutputEndpoint::OutputEndpoint(OutputSource& source, OutputEndpointOptions options)
    : impl_(std::make_shared<Impl>(source, options)) {
  if (options.threads) impl_->thread = std::thread([impl = impl_.get()] { impl->loop(); });
}

OutputEndpoint::~OutputEndpoint() {
  impl_->stop();
}

http::Handler OutputEndpoint::handler() {
  return [impl = impl_](const http::Request& request,
                        const std::shared_ptr<http::Responder>& responder) {
    impl->serve(request, *responder);
  };
}

void OutputEndpoint::beat() {
  impl_->beat();
}

std::size_t OutputEndpoint::open() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->open.size();
}

}  // namespace sandtrail
