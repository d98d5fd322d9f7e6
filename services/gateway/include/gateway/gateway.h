// SPDX-License-Identifier: Apache-2.0
// The gateway: the HTTP API over a read model folded from the log. It decides nothing: what changes
// something is proposed to the log, and answered once the fold has judged it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "codec/json.h"
#include "domain/execution.h"
#include "event_log/event_log.h"
#include "http/client.h"
#include "http/server.h"
#include "live_output/output_source.h"
#include "runtime/bases.h"
#include "runtime/runtime.h"
#include "sealing/payload.h"

namespace sandtrail {

// A language that hosts can run, and the limits of a request that names none.
struct LanguageInfo {
  std::string name;
  ExecutionLimits defaults;
  std::string file = {};  // the name its code gets in the work directory
};

// A host as a launcher in this process sees it.
struct HostStatus {
  HostId id;
  std::string address;  // of its data plane; empty: it is built in
  bool connected = true;
  std::int64_t slots = 0;
  std::int64_t busy = 0;
  std::string isolation;
  std::vector<std::string> languages;
};

// As the status of a process shows them.
json::array hosts_document(const std::vector<HostStatus>& hosts);

// Runs a task on another thread: work that may block for a disk or for a partition's thread. Must
// run every task, in any order, and outlive the gateway's last one.
using GatewayExecutor = std::function<void(std::function<void()>)>;

struct GatewayOptions {
  std::vector<LanguageInfo> languages;
  http::AddressPolicy addresses;                      // which literal addresses URLs may name
  std::optional<Millis> retention_default = days(7);  // absent: until deleted
  Millis denied_flush = minutes(1);        // refused attempts are counted for so long, then written
  Millis position_wait = seconds(5);       // for a Sandtrail-Position that is not folded yet
  Millis outcome_wait = seconds(30);       // for the log to take a proposal, then 504
  Millis log_away = seconds(5);            // so long it may be away before writes are refused
  Millis heartbeat = seconds(15);          // of event streams
  std::int64_t signup_credits = 100;       // of an organisation that is created without a grant
  std::string operator_name = "operator";  // the local user, in the audit log
  std::string instance;                    // of this process, as in its claims
  std::function<std::string()> metrics;    // Prometheus text format 0.0.4
  std::function<std::vector<HostStatus>()> hosts;  // empty: no launcher runs here
  bool threads = true;                             // false: the owner calls tick()
};

// "req_" and 26 random characters: for a request that brings no usable id of its own.
std::string fresh_request_id(Random& random);

// What it works with; all must outlive it.
struct GatewayParts {
  Runtime& runtime;
  EventLog& log;
  // Null, both: the process has no gateway role, and does not serve the API.
  Keyring* keyring;
  Payloads* payloads;
  Clock& clock;
  Random& random;
  GatewayExecutor executor;
  // What running programs write; null: output comes with the result only. Before the gateway is
  // destroyed, what calls its followers (the host, the client) must have ended.
  OutputSource* live_output = nullptr;
  // Where bases are; empty: none can be recorded here.
  OpenObjects open_bases = {};
};

// Health, metrics and what operators ask of a process are served for every role; the API and
// organisations only by one with keys.
//
// Order of life: construct it before Runtime::start(), which, for the API, must have been given a
// ReadModel (gateway/read_model.h) and observer(). Until that start has succeeded the API answers
// 503. To end: stop the servers, stop() this, stop the runtime,
// let the executor finish, destroy this. Thread-safe.
class Gateway {
 public:
  Gateway(GatewayOptions options, GatewayParts parts);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // For API keys (only with keys); for health and metrics (no authentication: bind it to loopback);
  // for operators (the caller is trusted: bind it to a unix socket of mode 0600). They refer to
  // this object.
  http::Handler public_handler();
  http::Handler admin_handler();
  http::Handler operator_handler();

  // To be added to the runtime.
  Observer* observer();

  // Answers who waits, ends streams; later requests do not wait. Call it before the servers stop.
  void end_waiting();
  // end_waiting(), and proposes what was counted of refused attempts. Idempotent.
  void stop();
  // Runs what is due: waits that are over, heartbeats, refused attempts to write.
  void tick();

  // For ServerOptions::reject: a problem document for what never reaches a handler.
  static http::Response reject(int status, const std::string& detail,
                               const std::string& request_id);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sandtrail
