// SPDX-License-Identifier: Apache-2.0
#include "harness.h"

#include <doctest/doctest.h>

#include <chrono>

#include "http_beast/client.h"
#include "http_beast/server.h"

namespace sandtrail::test {
namespace {

constexpr auto kWaitMax = std::chrono::seconds(30);
constexpr auto kLookAgain = std::chrono::milliseconds(5);

}  // namespace

OutputSink Watch::sink() {
  OutputSink sink;
  sink.on_bytes = [this](OutputStream stream, std::int64_t offset, BytesView bytes) {
    const std::lock_guard lock(mutex_);
    Bytes& all = bytes_[stream == OutputStream::out ? 0 : 1];
    const auto expected = from_.of(stream) + static_cast<std::int64_t>(all.size());
    gapless_ = gapless_ && offset == expected && !bytes.empty() && !end_;
    all += bytes;
    ++calls_;
    changed_.notify_all();
  };
  sink.on_cut = [this](OutputStream stream, OutputCut cut) {
    const std::lock_guard lock(mutex_);
    cuts_ += std::string(enum_text(stream)) + ":" + std::string(enum_text(cut)) + " ";
    ++calls_;
    changed_.notify_all();
  };
  sink.on_end = [this](OutputEnd end) {
    const std::lock_guard lock(mutex_);
    gapless_ = gapless_ && !end_;
    end_ = end;
    ++calls_;
    changed_.notify_all();
  };
  return sink;
}

Bytes Watch::bytes(OutputStream stream) const {
  const std::lock_guard lock(mutex_);
  return bytes_[stream == OutputStream::out ? 0 : 1];
}
std::string Watch::cuts() const {
  const std::lock_guard lock(mutex_);
  return cuts_;
}
std::optional<OutputEnd> Watch::end() const {
  const std::lock_guard lock(mutex_);
  return end_;
}
bool Watch::gapless() const {
  const std::lock_guard lock(mutex_);
  return gapless_;
}
int Watch::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

bool Watch::wait(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + kWaitMax;
  while (!holds()) {
    std::unique_lock lock(mutex_);
    // What it waits for may come about elsewhere, without a call.
    changed_.wait_for(lock, kLookAgain);
    if (std::chrono::steady_clock::now() > deadline) return false;
  }
  return true;
}

RemoteHarness::RemoteHarness(OutputHubOptions options, Millis heartbeat, Millis silence_max)
    : Harness(options) {
  OutputEndpointOptions endpoint;
  endpoint.heartbeat = heartbeat;
  endpoint_ = std::make_unique<OutputEndpoint>(hub, endpoint);
  auto server = http::start_server({}, endpoint_->handler(), 1);
  REQUIRE(server.ok());
  server_ = std::move(*server);
  address_ = "127.0.0.1:" + std::to_string(server_->port());
  http::ClientOptions options_of_client;
  options_of_client.policy.allow_private = true;
  auto client = http::make_client(std::move(options_of_client));
  REQUIRE(client.ok());
  client_ = std::move(*client);
  source_ =
      std::make_unique<RemoteOutputSource>(*client_, RemoteOutputOptions{"http", silence_max});
}

void RemoteHarness::stop_server() {
  server_->stop(Millis{0});
}

}  // namespace sandtrail::test
