// SPDX-License-Identifier: Apache-2.0
#include "host_link.h"

#include <algorithm>

#include "codec/text.h"
#include "obs/log.h"

namespace sandtrail {
namespace {

constexpr std::size_t kAnswerBytesMax = 64 * 1024;  // but for orders
constexpr Millis kHeartbeatMax = seconds(5);
constexpr Millis kWaitMax = seconds(60);
constexpr Millis kLeaseMax = hours(1);

std::int64_t us(Millis span) {
  return span.count * 1000;
}

}  // namespace

HostLink::HostLink(HostLinkParts parts, http::Url launcher)
    : parts_(std::move(parts)), url_(std::move(launcher)) {}

bool HostLink::joined() const {
  const std::lock_guard lock(mutex_);
  return phase_ == Phase::joined;
}

bool HostLink::left() const {
  const std::lock_guard lock(mutex_);
  return phase_ == Phase::gone;
}

http::ClientRequest HostLink::request_locked(std::string method, std::string_view target,
                                             Millis timeout) {
  http::ClientRequest request;
  request.method = std::move(method);
  request.url = url_;
  request.url.target = std::string(kHostSessionsPath) + std::string(target);
  if (request.method == "POST") request.fields.add("Content-Type", "application/json");
  request.timeout = timeout;
  request.response_bytes_max = kAnswerBytesMax;
  return request;
}

// The answer counts for nothing if the session is another one by then.
void HostLink::send_locked(http::ClientRequest request,
                           std::function<void(HostLink&, const Answer&)> handle_locked) {
  parts_.client.send(std::move(request), [weak = weak_from_this(), generation = generation_,
                                          handle_locked](const Answer& answer) {
    const auto self = weak.lock();
    if (self == nullptr) return;
    const std::lock_guard lock(self->mutex_);
    if (self->generation_ == generation) handle_locked(*self, answer);
  });
}

HostLoad HostLink::load_locked() const {
  const HostCounts counts = parts_.engine.counts();
  HostLoad load;
  load.running = counts.running;
  load.elsewhere = parts_.engine.busy_elsewhere(route_);
  load.kept = static_cast<std::int64_t>(counts.kept);
  load.draining = counts.draining;
  return load;
}

// The point in time until which to wait after so many failures in a row: half fixed, half random,
// so that hosts which lost a launcher together do not return together.
std::int64_t HostLink::after_us(int failures) const {
  const std::int64_t step = us(limits::kHostBackOffFirst) << std::min(failures, 10);
  const std::int64_t span = std::min(step, us(limits::kHostBackOffLast));
  const auto random = parts_.random.below(static_cast<std::uint64_t>(span / 2 + 1));
  return parts_.clock.boot_us() + span / 2 + static_cast<std::int64_t>(random);
}

void HostLink::abandon_locked(std::int64_t join_due_us, std::string_view why) {
  if (phase_ == Phase::joined) {
    log_warn("session with a launcher ended", {{"launcher", url_.text()}, {"reason", why}});
  }
  ++generation_;
  phase_ = Phase::idle;
  join_due_us_ = join_due_us;
  session_.clear();
  route_ = 0;
  fetching_ = beating_ = sending_ = false;
  drop_words_locked(words_.size());
}

void HostLink::abandon() {
  const std::lock_guard lock(mutex_);
  if (phase_ == Phase::leaving || phase_ == Phase::gone) return;
  abandon_locked(parts_.clock.boot_us(), "nobody renewed this host in time");
}

// True if the launcher knows the session no more; it is abandoned then. Anything else may pass.
bool HostLink::over_locked(const Answer& answer) {
  if (!answer.ok() || answer->status < 400 || answer->status >= 500) return false;
  const auto told = read_body<ProtocolError>(answer->body);
  const std::string code = told.ok() ? told->code : "status " + std::to_string(answer->status);
  ++failures_;
  std::int64_t due_us = after_us(failures_);
  if (code == "replaced") {
    log_error("another host has joined under this one's name",
              {{"launcher", url_.text()}, {"hint", "two hosts must not share a data directory"}});
    due_us += us(limits::kHostBackOffLast);
  }
  abandon_locked(due_us, code);
  return true;
}

void HostLink::tick(std::int64_t now_us, bool may_join) {
  const std::lock_guard lock(mutex_);
  if (phase_ == Phase::idle) {
    if (may_join && now_us >= join_due_us_) join_locked(now_us);
    return;
  }
  if (phase_ != Phase::joined) return;
  if (now_us - renewed_us_ > us(lease_)) {
    return abandon_locked(after_us(++failures_), "no answer for the lease");
  }
  if (!fetching_ && now_us >= fetch_due_us_) fetch_locked();
  if (!beating_ && now_us >= beat_due_us_) beat_locked(now_us);
  send_words_locked();
}

void HostLink::join_locked(std::int64_t now_us) {
  phase_ = Phase::joining;
  ++generation_;
  const HostInfo info = parts_.engine.info();
  JoinRequest ask;
  ask.host = info.id;
  ask.epoch = info.epoch;
  ask.boot = parts_.boot;
  ask.address = info.address;
  ask.slots = info.slots;
  ask.isolation = info.isolation;
  ask.languages = info.languages;
  http::ClientRequest request = request_locked("POST", "", limits::kHostAnswerMax);
  request.body = to_text(ask);
  send_locked(std::move(request), [now_us](HostLink& self, const Answer& answer) {
    self.on_joined_locked(answer, now_us);
  });
}

void HostLink::on_joined_locked(const Answer& answer, std::int64_t sent_us) {
  const bool fine = answer.ok() && answer->status == 201;
  const auto read = fine ? read_body<JoinAnswer>(answer->body)
                         : Result<JoinAnswer>(Error{ErrorCode::unavailable, "", ""});
  if (read.ok() && !read->session.empty()) return begin_session_locked(*read, sent_us);
  phase_ = Phase::idle;
  join_due_us_ = after_us(failures_++);
  if (!answer.ok()) {
    // While it is away this repeats: said once, and then now and then.
    if (failures_ == 1 || failures_ % 20 == 0) {
      log_warn("a launcher cannot be reached",
               {{"launcher", url_.text()}, {"error", answer.error()}});
    }
    return;
  }
  const auto told = read_body<ProtocolError>(answer->body);
  const std::string code = told.ok() ? told->code : "status " + std::to_string(answer->status);
  log_warn(
      "a launcher does not take this host",
      {{"launcher", url_.text()},
       {"reason", code},
       {"hint", code == "stale_epoch" ? "host.json is older than this host's last start" : ""}});
}

void HostLink::begin_session_locked(const JoinAnswer& answer, std::int64_t sent_us) {
  phase_ = Phase::joined;
  session_ = answer.session;
  route_ = ++parts_.routes;
  heartbeat_ = std::clamp(answer.heartbeat, Millis{50}, kHeartbeatMax);
  lease_ = std::clamp(answer.lease, seconds(1), kLeaseMax);
  wait_ = std::clamp(answer.wait, Millis{0}, kWaitMax);
  last_order_ = 0;
  fetch_failures_ = send_failures_ = 0;
  one_by_one_ = false;
  fetch_due_us_ = send_due_us_ = 0;
  renewed_us_ = sent_us;
  beat_due_us_ = sent_us + us(heartbeat_);
  told_ = {};
  parts_.lease.agree(lease_);
  parts_.lease.renew(sent_us);
  log_info("host joined", {{"launcher", url_.text()},
                           {"instance", answer.launcher},
                           {"host", answer.host},
                           {"epoch", parts_.engine.info().epoch}});
  fetch_locked();
}

void HostLink::beat_locked(std::int64_t now_us) {
  beating_ = true;
  beat_due_us_ = now_us + us(heartbeat_);
  Heartbeat beat;
  beat.epoch = parts_.engine.info().epoch;
  beat.load = told_ = load_locked();
  http::ClientRequest request =
      request_locked("POST", "/" + session_ + "/heartbeat", limits::kHostAnswerMax);
  request.body = to_text(beat);
  send_locked(std::move(request), [now_us](HostLink& self, const Answer& answer) {
    self.on_beat_locked(answer, now_us);
  });
}

void HostLink::on_beat_locked(const Answer& answer, std::int64_t sent_us) {
  beating_ = false;
  if (answer.ok() && answer->status == 204) {
    failures_ = 0;
    renewed_us_ = std::max(renewed_us_, sent_us);
    parts_.lease.renew(sent_us);
    check_room_locked();
  } else {
    over_locked(answer);
  }
}

void HostLink::tell_load() {
  const std::lock_guard lock(mutex_);
  beat_due_us_ = 0;
}

void HostLink::room_changed() {
  const std::lock_guard lock(mutex_);
  if (phase_ == Phase::joined && !beating_) check_room_locked();
}

void HostLink::check_room_locked() {
  const HostLoad load = load_locked();
  const int slots = parts_.engine.info().slots;
  // While there is room the launcher learns of changes with the next heartbeat.
  const bool full = load.running >= slots || told_.running >= slots;
  if (full && load.elsewhere != told_.elsewhere) beat_due_us_ = 0;
}

void HostLink::leave() {
  const std::lock_guard lock(mutex_);
  if (phase_ != Phase::joined) {
    ++generation_;
    phase_ = Phase::gone;
    return;
  }
  const std::string session = session_;
  abandon_locked(0, "this host is about to end");
  phase_ = Phase::leaving;
  send_locked(request_locked("DELETE", "/" + session, limits::kHostAnswerMax),
              [](HostLink& self, const Answer&) { self.phase_ = Phase::gone; });
}

}  // namespace sandtrail
