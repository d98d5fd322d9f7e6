// SPDX-License-Identifier: Apache-2.0
// One request on its way, and what all handlers share.
#pragma once

#include <any>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"
#include "denied.h"
#include "gateway/gateway.h"
#include "output_streams.h"
#include "problems.h"
#include "streams.h"
#include "timers.h"
#include "waits.h"

namespace sandtrail::gateway {

struct Route;

// Used by one thread at a time, but for responder, request_id and path, which stay as they are.
struct Call {
  http::Request request;
  std::shared_ptr<http::Responder> responder;
  const Route* route = nullptr;
  std::vector<std::string> path;                           // what stands for {…}, decoded
  std::vector<std::pair<std::string, std::string>> query;  // decoded
  std::string request_id;
  std::string traceparent;
  json::value body;   // parsed; null if the route takes none
  Bytes body_digest;  // of its bytes, for Idempotency-Key
  std::optional<std::string> idempotency_key;
  std::any prepared;  // what the route's prepare() made of it
  OrgId org;
  Actor actor;
  std::optional<TopicPartition> position_where;  // of the field Sandtrail-Position
  Position position;
  // How old the state is that it is answered from; empty: it is answered from none.
  std::function<Millis()> behind;

  std::optional<std::string> parameter(std::string_view name) const;
};
using CallPtr = std::shared_ptr<Call>;

struct Context {
  Context(GatewayOptions options_in, GatewayParts parts);

  GatewayOptions options;
  Runtime& runtime;
  EventLog& log;
  Clock& clock;
  Random& random;
  GatewayExecutor executor;
  Timers timers;
  Denied denied;
  Waits waits;
  Streams streams;
  OutputStreams outputs;
  std::atomic<std::size_t> position_waits{0};
  const OpenObjects open_bases;  // may be empty

  // Of a process that serves the API.
  bool serves_api() const { return keyring_ != nullptr; }
  Keyring& keyring() const { return (ST_ASSERT(keyring_ != nullptr), *keyring_); }
  Payloads& payloads() const { return (ST_ASSERT(payloads_ != nullptr), *payloads_); }

 private:
  Keyring* keyring_;
  Payloads* payloads_;
};

// The field Age (RFC 9111 section 5.1), if the call reads a state.
void add_age(const Call& call, http::Response& response);
// Answers; only the first answer to a call counts.
void respond(const Call& call, http::Response response);
void respond(const Call& call, const Problem& problem);
void respond_json(const Call& call, int status, const json::value& body,
                  std::vector<std::pair<std::string, std::string>> fields = {});

// "events/2/17".
std::string position_text(const TopicPartition& where, Position position);

// Runs `read` on the partition's thread, or answers 503.
void query(Context& context, const CallPtr& call, const TopicPartition& where,
           std::function<void(const PartitionView&)> read);

// The same once everything below `at_least` is folded; 504 not_yet if that takes too long.
void query_at(Context& context, const CallPtr& call, const TopicPartition& where, Position at_least,
              std::function<void(const PartitionView&)> read);

// The id in the path, or it answers 404.
template <typename IdType>
std::optional<IdType> id_in_path(const Call& call) {
  auto id = IdType::parse(call.path.back());
  if (!id) respond(call, Problem{"not_found", "no such id: it has another form", {}, {}});
  return id;
}

}  // namespace sandtrail::gateway
