// SPDX-License-Identifier: Apache-2.0
// One request at a time over libcurl, which is included in transfer.cc only. Private.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "answer.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace sandtrail::s3 {

struct TransferOptions {
  std::string service;  // for messages: "https://s3.example.com"
  std::string ca_file;  // empty: the system's certificates
  Millis connect_timeout;
  Millis stall_timeout;
};

struct Exchange {
  enum class Method { get, put, remove };
  Method method = Method::get;
  std::string url;
  std::vector<std::string> headers;  // "name: value"
  BytesView body;                    // of a put; must live as long as the call
  Millis timeout;                    // for all of it
};

// A libcurl handle and the connection it keeps. Not thread-safe.
class Transfer {
 public:
  virtual ~Transfer() = default;

  // Whatever the service says is an Answer: redirects are not followed. The body of an answer 200
  // to a get is read up to limits::kObjectBytesMax, of all others up to limits::kS3ErrorBytesMax;
  // more is not read. Errors: unavailable (no connection, broken off, a time-out, nonsense), denied
  // (the certificate); their text has nothing of the request or the answer.
  virtual Result<Answer> run(const Exchange& exchange) = 0;
};

// Asks neither the environment for proxies nor any file but `ca_file`.
Result<std::unique_ptr<Transfer>> make_transfer(TransferOptions options);

}  // namespace sandtrail::s3
