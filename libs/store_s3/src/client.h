// SPDX-License-Identifier: Apache-2.0
// Signed requests for objects by name, repeated while that can help. Private to this library.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "answer.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "location.h"
#include "signature.h"
#include "store_s3/object_store.h"
#include "transfer.h"
#include "transfer_pool.h"

namespace sandtrail::s3 {

// When one call of the port has to be over.
class Deadline {
 public:
  Deadline(const Clock& clock, Millis span)
      : clock_(clock), end_us_(clock.monotonic_us() + span.count * 1000) {}
  // 0 and less: over.
  Millis left() const { return {(end_us_ - clock_.monotonic_us()) / 1000}; }

 private:
  const Clock& clock_;
  const std::int64_t end_us_;
};

struct Request {
  Exchange::Method method = Exchange::Method::get;
  std::string name;
  BytesView content;       // of a put
  bool if_absent = false;  // of a put: If-None-Match
  std::string action;      // for messages: "cannot store object x"
};

// Thread-safe.
class Client {
 public:
  // Fills in what `transfers` calls the service.
  Client(Target target, S3Credentials credentials, TransferOptions transfers, const Clock& clock,
         Random& random);

  // The first answer that `accepted` takes; else the error of the last try.
  Result<Answer> send(const Request& request, const Deadline& deadline,
                      const std::function<bool(const Answer&)>& accepted) const;

 private:
  Result<Answer> try_once(const Request& request, const std::string& payload_sha256,
                          const Deadline& deadline) const;
  std::vector<std::string> signed_headers(const Request& request,
                                          const std::string& payload_sha256) const;
  bool pause(int tries, const Deadline& deadline) const;

  const Target target_;
  const S3Credentials credentials_;
  const Clock& clock_;
  Random& random_;
  mutable TransferPool pool_;
};

}  // namespace sandtrail::s3
