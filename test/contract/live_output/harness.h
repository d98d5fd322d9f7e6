// SPDX-License-Identifier: Apache-2.0
// A hub, a source that reaches it, and what a follower was told.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "http/client.h"
#include "http/server.h"
#include "live_output/output_endpoint.h"
#include "live_output/output_hub.h"
#include "live_output/remote_source.h"

namespace sandtrail::test {

// Thread-safe. Must outlive the calls of its sink.
class Watch {
 public:
  explicit Watch(OutputOffsets from = {}) : from_(from) {}
  OutputSink sink();

  Bytes bytes(OutputStream stream) const;
  std::string cuts() const;  // "stdout:cap "
  std::optional<OutputEnd> end() const;
  bool gapless() const;
  int calls() const;
  // Waits for what calls bring about; false after a generous deadline.
  bool wait(const std::function<bool()>& holds);
  bool wait_for(OutputStream stream, BytesView bytes) {
    return wait([=, this] { return this->bytes(stream) == bytes; });
  }
  bool wait_end(OutputEnd end) {
    return wait([=, this] { return this->end() == end; });
  }

 private:
  const OutputOffsets from_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Bytes bytes_[2];
  std::string cuts_;
  std::optional<OutputEnd> end_;
  bool gapless_ = true;
  int calls_ = 0;
};

class Harness {
 public:
  explicit Harness(OutputHubOptions options) : hub(options) {}
  virtual ~Harness() = default;
  virtual OutputSource& source() = 0;
  virtual OutputTarget target(std::int64_t attempt = 1) const = 0;

  void begin(std::int64_t attempt = 1) { hub.begin(execution, attempt); }
  void write(OutputStream stream, std::int64_t offset, BytesView bytes) {
    hub.write(execution, 1, stream, offset, bytes);
  }
  void end() { hub.end(execution, 1); }

  OutputHub hub;
  const ExecutionId execution = ExecutionId::derived("0123456789abcdef");
};

class LocalHarness final : public Harness {
 public:
  explicit LocalHarness(OutputHubOptions options = {}) : Harness(options) {}
  OutputSource& source() override { return hub; }
  OutputTarget target(std::int64_t attempt) const override { return {execution, attempt, ""}; }
};

// Over a real server and client on loopback.
class RemoteHarness final : public Harness {
 public:
  explicit RemoteHarness(OutputHubOptions options = {}, Millis heartbeat = Millis{20},
                         Millis silence_max = limits::kLiveSilenceMax);
  OutputSource& source() override { return *source_; }
  OutputTarget target(std::int64_t attempt) const override {
    return {execution, attempt, address_};
  }
  OutputEndpoint& endpoint() { return *endpoint_; }
  void stop_server();

 private:
  std::unique_ptr<OutputEndpoint> endpoint_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::Client> client_;
  std::unique_ptr<RemoteOutputSource> source_;
  std::string address_;
};

}  // namespace sandtrail::test
