// SPDX-License-Identifier: Apache-2.0
// A command line with a scripted server, a data directory of its own, and everything it writes in
// two strings.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "http/scripted_client.h"

namespace sandtrail::test {

// Gives the answers of a ScriptedClient as soon as they are asked for.
class ImmediateClient final : public http::Client {
 public:
  explicit ImmediateClient(const Clock& clock) : scripted(clock) {}
  void send(http::ClientRequest request, Done done) override {
    scripted.send(std::move(request), std::move(done));
    scripted.deliver();
  }
  void stream(http::ClientRequest request, std::function<bool(BytesView)> on_data,
              Done done) override {
    scripted.stream(std::move(request), std::move(on_data), std::move(done));
    scripted.deliver();
  }
  http::ScriptedClient scripted;
};

struct Harness {
  Harness();
  ~Harness();
  Harness(const Harness&) = delete;
  Harness& operator=(const Harness&) = delete;

  // Runs with "--url http://server" and a key, unless `bare`.
  int run(const std::vector<std::string>& arguments, bool bare = false);

  // Answers to come, in order.
  void answer(int status, const std::string& body,
              std::vector<std::pair<std::string, std::string>> fields = {});
  void fail(ErrorCode code, const std::string& message);
  void stream(std::vector<Bytes> pieces);

  std::vector<http::ClientRequest> requests() const { return client.scripted.requests(); }
  http::ClientRequest last_request() const { return requests().back(); }
  // A file in the directory; returns its path.
  std::string file(const std::string& name, const Bytes& content);

  ManualClock clock;
  SeededRandom random{7};
  ImmediateClient client{clock};
  Environment environment;
  std::string directory;
  std::string out, err;
  Bytes input;
  bool out_is_terminal = false, err_is_terminal = false;
  std::int64_t paused_ms = 0;
  std::size_t lines_max = 1'000'000;  // then nobody reads standard output any more
  std::function<Result<std::unique_ptr<EventLog>>()> open_log;
  std::function<Result<Bytes>(const std::string&)> ask_launcher;
  std::function<std::vector<std::unique_ptr<Projection>>()> projections;
  LogLoss loss;  // what find_loss tells
  bool confirms = false;
  std::string asked;            // of a person
  std::string accepted_reason;  // of accept_loss, once it was called
};

// True if `text` holds `part`.
inline bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace sandtrail::test
