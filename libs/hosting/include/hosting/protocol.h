// SPDX-License-Identifier: Apache-2.0
// How hosts on machines of their own and launchers speak to each other: HTTP/1.1, JSON bodies, over
// mutual TLS (plain on loopback). The host is always the client, so that a machine that runs
// hostile code need not be reachable by launchers, and a launcher needs no list of hosts.
//
//   POST   /host/v1/sessions                    JoinRequest -> 201 JoinAnswer
//   GET    /host/v1/sessions/{s}/orders?after=N -> 200 orders (waits for one up to kHostPollWait)
//   POST   /host/v1/sessions/{s}/reports        reports -> 204
//   POST   /host/v1/sessions/{s}/heartbeat      Heartbeat -> 204
//   DELETE /host/v1/sessions/{s}                204: nothing of the host's epoch is left there
//
// Errors are {"code", "detail"} with a status:
//   400 malformed · 403 not_a_host (no certificate of a host, or another one's session)
//   404 unknown_session: join again · 409 replaced: a later session of the same host was opened
//   409 stale_epoch: the host was seen with a later epoch · 503 overloaded or stopping: try again
//
// A session is one sequence of orders, numbered from 1. A host asks for those after the last it has
// carried out; the launcher keeps an order until a host asks for later ones, so a lost answer is
// repeated and nothing is lost or comes twice while the session lives. Once a host asks for a new
// session, it carries out no order of the one before.
//
// A report that was answered is in the launcher's memory, no more: a host keeps each result until
// `acknowledge` comes for it. A new session begins without owners; the launcher gives `take_over`
// for each partition that it acts on, the host answers `taken_over` with what it holds of it, and
// then reports again what runs and what it keeps.
//
// Bodies are bounded: limits::kHostReportsBytesMax to the launcher, an order by kHostOrderBytesMax.
// Unknown members are ignored: later versions only add.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "codec/reflect.h"
#include "hosting/host.h"

namespace sandtrail {

inline constexpr std::int64_t kHostProtocol = 1;
inline constexpr std::string_view kHostSessionsPath = "/host/v1/sessions";

struct JoinRequest {
  std::int64_t protocol = kHostProtocol;
  HostId host;  // over TLS the launcher derives it from the certificate's name instead
  std::int64_t epoch = 0;
  std::string boot;  // of the machine, for people: which restarts were the machine's
  std::string address;
  std::int64_t slots = 0;
  std::string isolation;
  std::vector<std::string> languages;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("protocol", s.protocol);
    v("host", s.host);
    v("epoch", s.epoch);
    v.with_default("boot", s.boot);
    v.with_default("address", s.address);
    v("slots", s.slots);
    v("isolation", s.isolation);
    v("languages", s.languages);
  }
};

struct JoinAnswer {
  std::string session;
  std::string launcher;  // its instance, for people
  HostId host;           // as the launcher knows it
  Millis heartbeat;      // how often it wants one
  Millis lease;          // without one the host counts as gone
  Millis wait;           // an answer to a request for orders takes so long at most
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("session", s.session);
    v("launcher", s.launcher);
    v("host", s.host);
    v("heartbeat_ms", s.heartbeat);
    v("lease_ms", s.lease);
    v("wait_ms", s.wait);
  }
};

// What a host says of its room, with each heartbeat and each report.
struct HostLoad {
  std::int64_t running = 0;
  std::int64_t elsewhere = 0;  // of these, attempts whose orders come from other launchers
  std::int64_t kept = 0;       // results that wait to be applied
  bool draining = false;       // it takes no launches any more
  bool operator==(const HostLoad&) const = default;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("running", s.running);
    v("elsewhere", s.elsewhere);
    v("kept", s.kept);
    v("draining", s.draining);
  }
};

struct Heartbeat {
  std::int64_t epoch = 0;
  HostLoad load;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("epoch", s.epoch);
    v("load", s.load);
  }
};

struct ProtocolError {
  std::string code;
  std::string detail;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("code", s.code);
    v.with_default("detail", s.detail);
  }
};

// --- orders ---

struct CancelOrder {
  OrderAuthority by;
  ExecutionId execution;
  std::int64_t attempt = 0;
};
struct AcknowledgeOrder {
  OrderAuthority by;
  ExecutionId execution;
  std::int64_t attempt = 0;
};
struct TakeOverOrder {
  OrderAuthority by;
};
using HostOrder = std::variant<LaunchOrder, CancelOrder, AcknowledgeOrder, TakeOverOrder>;

struct NumberedOrder {
  std::int64_t number = 0;
  HostOrder order;
};

// One order as JSON. That of a launch holds its data key: wipe() it, and log it never.
Bytes order_text(std::int64_t number, const HostOrder& order);
// {"orders": […]} of such texts.
Bytes orders_text(const std::vector<std::string_view>& orders);
// invalid_argument without a word of the content; one bad order spoils all.
Result<std::vector<NumberedOrder>> read_orders(BytesView body);

// --- reports ---

// The answer to TakeOverOrder.
struct TakenOver {
  std::int64_t order = 0;  // its number
  std::int32_t partition = 0;
  std::vector<HeldAttempt> held;
};
// The host of a report does not travel: the launcher knows whose session it is.
using HostWord = std::variant<HostReport, TakenOver>;

struct HostWords {
  HostLoad load;
  std::vector<HostWord> words;
};

Bytes word_text(const HostWord& word);
// {"load": …, "words": […]} of such texts.
Bytes words_text(const HostLoad& load, const std::vector<std::string_view>& words);
// invalid_argument as above. Texts that people read are cut to a bound; that a result fits its
// execution is left to who knows it.
Result<HostWords> read_words(BytesView body);

// A body that is one described struct.
template <typename T>
Result<T> read_body(BytesView body) {
  auto parsed = json::parse(body);
  auto content = parsed.ok() ? from_json<T>(*parsed) : Result<T>(parsed.error());
  if (content.ok()) return content;
  return Error{ErrorCode::invalid_argument, content.error().message, ""};
}

}  // namespace sandtrail
