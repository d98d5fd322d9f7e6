// SPDX-License-Identifier: Apache-2.0
// The data plane of a host: live output over HTTP, for gateways.
//
//   GET /data/v1/executions/{id}/attempts/{n}/output?stdout=OFFSET&stderr=OFFSET
//
// answers 200 with server-sent events (offsets are 0 unless given):
//
//   event: chunk   data: {"stream": "stdout" | "stderr", "offset": 0, "bytes": base64}
//   event: cut     data: {"stream": …, "cut": "cap" | "memory"}        no more of it comes live
//   event: end     data: {"end": "over" | "unknown" | "overloaded"}    the last
//
// and comments in between, so that both sides notice that the other is gone. A stream that ends
// without `end` was broken off. Over mutual TLS only peers of the role "gateway" are served, others
// get 403; on a plain connection everybody is, so that one belongs on loopback.
#pragma once

#include <cstddef>
#include <memory>

#include "base/limits.h"
#include "http/server.h"
#include "live_output/output_source.h"

namespace sandtrail {

struct OutputEndpointOptions {
  Millis heartbeat = limits::kLiveHeartbeat;
  bool threads = true;  // false: the owner calls beat()
};

// Thread-safe. `source` is the host's hub and must outlive it. Stop the server that uses handler()
// before this is destroyed.
class OutputEndpoint {
 public:
  explicit OutputEndpoint(OutputSource& source, OutputEndpointOptions options = {});
  ~OutputEndpoint();  // cuts what is open
  OutputEndpoint(const OutputEndpoint&) = delete;
  OutputEndpoint& operator=(const OutputEndpoint&) = delete;

  http::Handler handler();
  void beat();
  std::size_t open() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sandtrail
