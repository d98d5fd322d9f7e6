// SPDX-License-Identifier: Apache-2.0
// A service of the test's own that speaks bytes, so that it can misbehave; and stores that use it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "../http/raw_peer.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"
#include "store_s3/object_store.h"

namespace sandtrail::test {

using http::test::eventually;
using http::test::RawServer;
using http::test::RawSocket;

struct S3Request {
  std::string head;  // with the empty line; empty: the peer is gone
  Bytes body;
  std::string line() const { return head.substr(0, head.find("\r\n")); }
  // The value of a field whose name is given in lower case; "" if there is none.
  std::string field(const std::string& name) const;
};
S3Request receive_request(RawSocket& socket);

// "HTTP/1.1 <status>", fields ("A: b\r\n"), length and body.
std::string s3_response(const std::string& status, const std::string& body = "",
                        const std::string& fields = "");
// The same with an error document of this code.
std::string s3_error(const std::string& status, const std::string& code);

// Answers each request of each connection with what `answer` makes of it and of its number, from 0.
RawServer::Script answering(std::function<std::string(const S3Request&, int)> answer);

// A store over the peer with short time-outs, the bucket "bucket" and the prefix "p".
struct PeerStore {
  SystemClock system_clock;
  SeededRandom random{7};
  std::unique_ptr<ObjectStore> store;

  using Change = std::function<void(S3ObjectStoreOptions&)>;
  // Without `clock`: the system's.
  explicit PeerStore(const std::string& endpoint, const Change& change = {},
                     const Clock* clock = nullptr);
};

inline constexpr const char* kPeerSecret = "very/secret+key";
inline constexpr const char* kPeerToken = "very/secret+token";

// "ok", or the code of the error; fails the test if the error holds a credential.
std::string outcome(const Error* error);
std::string outcome(const Status& status);
std::string outcome(const Result<Bytes>& result);

}  // namespace sandtrail::test
