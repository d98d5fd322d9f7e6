// SPDX-License-Identifier: Apache-2.0
// Live output from the data plane of hosts elsewhere (output_endpoint.h has the format).
#pragma once

#include <memory>
#include <string>

#include "base/limits.h"
#include "http/client.h"
#include "live_output/output_source.h"

namespace sandtrail {

struct RemoteOutputOptions {
  std::string scheme = "http";  // "https" where hosts have certificates
  Millis silence_max = limits::kLiveSilenceMax;
};

// What a host says is checked: offsets without gaps, at most limits::kOutputBytesMax of a stream;
// anything else ends as `broken`. Its address may name nothing but host and port. A subscription
// that was dropped keeps its connection until the host's next heartbeat. The client must outlive
// it.
class RemoteOutputSource final : public OutputSource {
 public:
  RemoteOutputSource(http::Client& client, RemoteOutputOptions options = {})
      : client_(client), options_(std::move(options)) {}
  std::unique_ptr<OutputSubscription> follow(const OutputTarget& target, const OutputOffsets& from,
                                             OutputSink sink) override;

 private:
  http::Client& client_;
  const RemoteOutputOptions options_;
};

}  // namespace sandtrail
