// SPDX-License-Identifier: Apache-2.0
#include "live_output/remote_source.h"

#include <mutex>
#include <optional>

#include "base/limits.h"
#include "frames.h"

namespace sandtrail {
namespace {

// One request. The client's thread calls it, one call at a time; cancel() comes from any.
class Flight {
 public:
  Flight(const OutputOffsets& from, OutputSink sink) : next_(from), sink_(std::move(sink)) {}

  bool take(BytesView bytes);
  void done(const Result<http::ClientResponse>& result);
  void cancel() {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }

 private:
  bool wanted() {
    const std::lock_guard lock(mutex_);
    return !cancelled_;
  }
  void take(const http::SseEvent& event);
  void end(OutputEnd why);
  void operator()(const live_output::ChunkFrame& chunk);
  void operator()(const live_output::CutFrame& cut);
  void operator()(const live_output::EndFrame& last) { end(last.end); }

  http::SseParser parser_;
  OutputOffsets next_;
  bool cut_[2] = {false, false};
  bool ended_ = false;
  OutputSink sink_;
  std::mutex mutex_;
  bool cancelled_ = false;
};

bool Flight::take(BytesView bytes) {
  const Status fed = parser_.feed(bytes, [this](const http::SseEvent& event) { take(event); });
  if (!fed.ok()) end(OutputEnd::broken);
  return !ended_ && wanted();
}

void Flight::take(const http::SseEvent& event) {
  if (ended_) return;
  const auto frame = live_output::parse_frame(event);
  if (!frame.ok()) return end(OutputEnd::broken);
  std::visit([this](const auto& one) { (*this)(one); }, *frame);
}

void Flight::operator()(const live_output::ChunkFrame& chunk) {
  auto& next = next_.of(chunk.stream);
  const auto size = static_cast<std::int64_t>(chunk.bytes.bytes.size());
  const bool fits = size <= limits::kOutputBytesMax && next <= limits::kOutputBytesMax - size;
  if (chunk.offset != next || !fits) return end(OutputEnd::broken);
  next += size;
  if (size > 0 && wanted()) sink_.on_bytes(chunk.stream, chunk.offset, chunk.bytes.bytes);
}

void Flight::operator()(const live_output::CutFrame& cut) {
  if (std::exchange(cut_[cut.stream == OutputStream::out ? 0 : 1], true)) return;
  if (wanted()) sink_.on_cut(cut.stream, cut.cut);
}

void Flight::end(OutputEnd why) {
  if (std::exchange(ended_, true)) return;
  if (wanted()) sink_.on_end(why);
}

void Flight::done(const Result<http::ClientResponse>& result) {
  const bool full = !result.ok() && result.error().code == ErrorCode::overloaded;
  end(full ? OutputEnd::overloaded : OutputEnd::broken);  // if it is not over by its own word
}

class FlightSubscription final : public OutputSubscription {
 public:
  explicit FlightSubscription(std::shared_ptr<Flight> flight) : flight_(std::move(flight)) {}
  ~FlightSubscription() override { flight_->cancel(); }

 private:
  std::shared_ptr<Flight> flight_;
};

// A host says its own address: it must not get to choose a path, nor anything else.
std::optional<http::Url> url_of(const std::string& scheme, const std::string& address,
                                const std::string& path) {
  auto url = http::parse_url(scheme + "://" + address + path);
  if (!url.ok() || url->target != path) return std::nullopt;
  return std::move(*url);
}

}  // namespace

std::unique_ptr<OutputSubscription> RemoteOutputSource::follow(const OutputTarget& target,
                                                               const OutputOffsets& from,
                                                               OutputSink sink) {
  const auto flight = std::make_shared<Flight>(from, std::move(sink));
  const auto url = url_of(options_.scheme, target.address,
                          live_output::path_of(target.execution, target.attempt, from));
  if (!url) {
    flight->done(Error{ErrorCode::invalid_argument, "the host's address is malformed", ""});
    return std::make_unique<FlightSubscription>(flight);
  }
  http::ClientRequest request;
  request.url = *url;
  request.fields.set("Accept", "text/event-stream");
  request.timeout = options_.silence_max;
  client_.stream(
      std::move(request), [flight](BytesView bytes) { return flight->take(bytes); },
      [flight](const Result<http::ClientResponse>& result) { flight->done(result); });
  return std::make_unique<FlightSubscription>(flight);
}

}  // namespace sandtrail
