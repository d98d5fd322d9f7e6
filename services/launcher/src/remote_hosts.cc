// SPDX-License-Identifier: Apache-2.0
#include "launcher/remote_hosts.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "codec/text.h"
#include "crypto/digest.h"
#include "obs/log.h"
#include "remote_host.h"

namespace sandtrail {
namespace {

constexpr std::string_view kHostRole = "host";
constexpr std::size_t kSessionBytes = 16;
constexpr std::size_t kReplacedMax = 256;
constexpr std::size_t kKnownMax = 4 * limits::kHostsMax;
constexpr std::size_t kShortTextBytesMax = 255;

http::Response empty_response() {
  http::Response response;
  response.status = 204;
  return response;
}

http::Response refusal_of(const Error& error) {
  if (error.code == ErrorCode::overloaded || error.code == ErrorCode::unavailable) {
    return protocol_error(503, "overloaded", error.message);
  }
  return protocol_error(400, "malformed", error.message);
}

// What is wrong with a request to join, or nothing.
std::string problem_of(const JoinRequest& request) {
  if (request.protocol != kHostProtocol) return "another version of the protocol";
  if (request.host.nil() || request.epoch <= 0) return "a host without a name or an epoch";
  if (request.slots < 1 || request.slots > limits::kSlotsMax) return "slots out of range";
  if (request.languages.size() > limits::kLanguagesMax) return "too many languages";
  const auto fits = [](const std::string& text) { return text.size() <= kShortTextBytesMax; };
  const bool short_enough = fits(request.boot) && fits(request.address) &&
                            fits(request.isolation) &&
                            std::all_of(request.languages.begin(), request.languages.end(), fits);
  return short_enough ? "" : "a text that is too long";
}

// A certificate's name as a host's id.
HostId id_of(const std::string& name) {
  return HostId::derived(sha256("sandtrail-host/" + name));
}

HostInfo info_of(const JoinRequest& request, const std::string& name) {
  HostInfo info;
  info.id = name.empty() ? request.host : id_of(name);
  info.epoch = request.epoch;
  info.address = request.address;
  info.slots = static_cast<int>(request.slots);
  info.isolation = request.isolation;
  info.languages = request.languages;
  return info;
}

// The name that the peer has proved; empty on a plain connection. Nullopt: it is no host.
std::optional<std::string> name_of(const http::Request& request) {
  if (!request.peer) return "";
  if (request.peer->role != kHostRole || request.peer->name.empty()) return std::nullopt;
  return request.peer->name;
}

// The number of `after=N`; nullopt if there is none.
std::optional<std::int64_t> after_of(const std::string& query) {
  const auto pairs = http::parse_query(query);
  if (!pairs) return std::nullopt;
  for (const auto& [name, value] : *pairs) {
    if (name != "after") continue;
    std::int64_t number = 0;
    const char* end = value.data() + value.size();
    const auto read = std::from_chars(value.data(), end, number);
    if (read.ec == std::errc() && read.ptr == end && number >= 0) return number;
  }
  return std::nullopt;
}

}  // namespace

RemoteHosts::RemoteHosts(RemoteHostsOptions options, Hosts& hosts, const Clock& clock,
                         Random& random)
    : options_(std::move(options)), hosts_(hosts), clock_(clock), random_(random) {}

RemoteHosts::~RemoteHosts() = default;

http::Handler RemoteHosts::handler() {
  return [this](http::Request request, const std::shared_ptr<http::Responder>& responder) {
    handle(std::move(request), responder);
  };
}

void RemoteHosts::handle(http::Request request, const std::shared_ptr<http::Responder>& responder) {
  if (!name_of(request)) {
    return responder->respond(protocol_error(403, "not_a_host", "the certificate is no host's"));
  }
  const std::string_view path = request.path;
  if (path == kHostSessionsPath) {
    if (request.method != "POST") {
      return responder->respond(protocol_error(405, "method_not_allowed", "only POST joins"));
    }
    return responder->respond(join(request));
  }
  if (path.starts_with(kHostSessionsPath) && path[kHostSessionsPath.size()] == '/') {
    return handle_session(request, path.substr(kHostSessionsPath.size() + 1), responder);
  }
  responder->respond(protocol_error(404, "not_found", "this listens for hosts only"));
}

void RemoteHosts::handle_session(const http::Request& request, std::string_view rest,
                                 const std::shared_ptr<http::Responder>& responder) {
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  http::Response otherwise;
  const Session session = find(rest.substr(0, slash), otherwise);
  if (session == nullptr) return responder->respond(std::move(otherwise));
  if (session->name() != *name_of(request)) {
    return responder->respond(protocol_error(403, "not_a_host", "the session is another host's"));
  }
  const std::string_view what = rest.substr(slash);
  if (what == "/orders" && request.method == "GET") {
    const auto after = after_of(request.query);
    if (after) return session->fetch(*after, responder);
    return responder->respond(protocol_error(400, "malformed", "after which order?"));
  }
  if (what == "/reports" && request.method == "POST") {
    return responder->respond(hear(session, request));
  }
  if (what == "/heartbeat" && request.method == "POST") {
    return responder->respond(heartbeat(session, request));
  }
  if (what.empty() && request.method == "DELETE") return responder->respond(leave(session));
  responder->respond(protocol_error(404, "not_found", "a session has no such part"));
}

http::Response RemoteHosts::join(const http::Request& request) {
  auto asked = read_body<JoinRequest>(request.body);
  if (!asked.ok()) return refusal_of(asked.error());
  if (const std::string problem = problem_of(*asked); !problem.empty()) {
    return protocol_error(400, "malformed", problem);
  }
  const std::string name = *name_of(request);
  const HostInfo info = info_of(*asked, name);
  const std::lock_guard one_at_a_time(joining_);
  Session replaced;
  auto session = admit(info, name, replaced);
  if (!session.ok()) {
    const bool stale = session.error().code == ErrorCode::conflict;
    if (!stale) return refusal_of(session.error());
    log_warn("a host with an older epoch was turned away",
             {{"host", info.id}, {"epoch", info.epoch}, {"error", session.error()}});
    return protocol_error(409, "stale_epoch", session.error().message);
  }
  log_info("host joined", {{"host", info.id},
                           {"epoch", info.epoch},
                           {"slots", info.slots},
                           {"address", info.address},
                           {"peer", request.peer_address},
                           {"name", name},
                           {"boot", asked->boot},
                           {"again", replaced != nullptr}});
  hosts_.join(*session);
  if (replaced != nullptr) {
    replaced->close(protocol_error(409, "replaced", "the host opened a later session"));
  }
  JoinAnswer answer;
  answer.session = (*session)->session();
  answer.launcher = options_.instance;
  answer.host = info.id;
  answer.heartbeat = limits::kHostHeartbeat;
  answer.lease = options_.lease;
  answer.wait = limits::kHostPollWait;
  http::Response response;
  response.status = 201;
  response.fields.add("Content-Type", "application/json");
  response.body = to_text(answer);
  return response;
}

// Makes the session, in place of an earlier one of that host.
Result<RemoteHosts::Session> RemoteHosts::admit(const HostInfo& info, const std::string& name,
                                                Session& replaced) {
  const std::string id = hex(random_.bytes(kSessionBytes));
  auto session = std::make_shared<RemoteHost>(info, id, name, clock_);
  const std::lock_guard lock(mutex_);
  if (stopping_) return Error{ErrorCode::unavailable, "the launcher is stopping", ""};
  const auto known = known_.find(info.id);
  const bool connected = known != known_.end() && known->second.session != nullptr;
  if (known != known_.end() && info.epoch < known->second.epoch) {
    return Error{ErrorCode::conflict,
                 "the host was seen with epoch " + std::to_string(known->second.epoch), ""};
  }
  if (!connected && sessions_.size() >= limits::kHostsMax) {
    return Error{ErrorCode::overloaded, "too many hosts have joined", ""};
  }
  Known& entry = known_[info.id];
  if (connected) {
    replaced = entry.session;
    sessions_.erase(replaced->session());
    replaced_.push_back(replaced->session());
    if (replaced_.size() > kReplacedMax) replaced_.erase(replaced_.begin());
  }
  entry = {info.epoch, session, ++uses_};
  sessions_[id] = session;
  if (known_.size() > kKnownMax) {
    auto oldest = known_.end();
    for (auto it = known_.begin(); it != known_.end(); ++it) {
      if (it->second.session != nullptr) continue;
      if (oldest == known_.end() || it->second.used < oldest->second.used) oldest = it;
    }
    known_.erase(oldest);  // at most kHostsMax of them are connected
  }
  return session;
}

RemoteHosts::Session RemoteHosts::find(std::string_view id, http::Response& otherwise) const {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(id);
  if (found != sessions_.end()) return found->second;
  const bool replaced = std::find(replaced_.begin(), replaced_.end(), id) != replaced_.end();
  otherwise = replaced ? protocol_error(409, "replaced", "the host opened a later session")
                       : protocol_error(404, "unknown_session", "join again");
  return nullptr;
}

http::Response RemoteHosts::hear(const Session& session, const http::Request& request) {
  auto words = read_words(request.body);
  const Status taken = words.ok() ? session->hear(std::move(words).value(), request.body.size())
                                  : Status(words.error());
  if (taken.ok()) return empty_response();
  log_warn("a host's report was not taken",
           {{"host", session->info().id}, {"error", taken.error()}});
  return refusal_of(taken.error());
}

http::Response RemoteHosts::heartbeat(const Session& session, const http::Request& request) {
  const auto beat = read_body<Heartbeat>(request.body);
  if (!beat.ok()) return refusal_of(beat.error());
  if (beat->epoch != session->info().epoch) {
    return protocol_error(404, "unknown_session", "the session is of another epoch");
  }
  session->heard(beat->load);
  return empty_response();
}

http::Response RemoteHosts::leave(const Session& session) {
  if (remove(session)) {
    log_info("host left", {{"host", session->info().id}, {"epoch", session->info().epoch}});
    hosts_.gone(session, Hosts::Departure::left);
    session->close(protocol_error(404, "unknown_session", "the host left"));
  }
  return empty_response();
}

// False if it was removed before.
bool RemoteHosts::remove(const Session& session) {
  const std::lock_guard lock(mutex_);
  if (sessions_.erase(session->session()) == 0) return false;
  known_[session->info().id].session = nullptr;
  return true;
}

void RemoteHosts::tick() {
  std::vector<Session> sessions;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, session] : sessions_) sessions.push_back(session);
  }
  for (const Session& session : sessions) {
    session->tick();
    if (!session->lapsed(options_.lease) || !remove(session)) continue;
    log_warn("host lapsed: nothing was heard of it for its lease",
             {{"host", session->info().id}, {"epoch", session->info().epoch}});
    // First, so that nothing more is placed there.
    hosts_.gone(session, Hosts::Departure::lapsed);
    session->close(protocol_error(404, "unknown_session", "the host had lapsed"));
  }
}

void RemoteHosts::stop() {
  std::vector<Session> sessions;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& [id, session] : sessions_) sessions.push_back(session);
    sessions_.clear();
  }
  for (const Session& session : sessions) {
    session->close(protocol_error(503, "stopping", "the launcher is stopping"));
  }
}

}  // namespace sandtrail
