// SPDX-License-Identifier: Apache-2.0
#include "server_process.h"

#include <algorithm>
#include <chrono>
#include <future>

#include "http_beast/open_files.h"
#include "obs/log.h"
#include "server_parts.h"

namespace sandtrail {
namespace {

constexpr Millis kRetryFirst{100};
constexpr Millis kRetryLast = seconds(2);
constexpr Millis kLookEvery{5};  // while it gets ready
constexpr Millis kWatchEvery = seconds(1);
constexpr Millis kTellEvery = seconds(5);

// Takes the answer of a handler that is called within the process.
class LocalResponder final : public http::Responder {
 public:
  void respond(http::Response response) override { answer_.set_value(std::move(response)); }
  std::shared_ptr<http::Stream> start_stream(http::Response) override { return nullptr; }
  void on_closed(std::function<void()>) override {}
  std::future<http::Response> future() { return answer_.get_future(); }

 private:
  std::promise<http::Response> answer_;
};

std::string http_url(const ListenAddress& configured, std::uint16_t port) {
  return "http://" + ListenAddress{configured.address, port}.text();
}

Error ended_early(const std::string& because) {
  return {ErrorCode::cancelled, "stopped before it was ready", because};
}

// Says what is waited for: at first after kTellEvery, or at once where an administrator must act;
// then as often.
class Progress {
 public:
  Progress(const Clock& clock, const ProcessPlan& plan)
      : clock_(clock), plan_(plan), began_(clock.now()), told_us_(clock.monotonic_us()) {}

  void tell(const Error& because, const LogHealth& health) {
    const bool must_act = because.code == ErrorCode::denied && !told_denied_;
    if (!must_act && clock_.monotonic_us() - told_us_ < kTellEvery.count * 1000) return;
    told_denied_ = because.code == ErrorCode::denied;
    told_us_ = clock_.monotonic_us();
    log_warn("not ready yet", {{"because", because.told()},
                               {"log", log_name(plan_.config)},
                               {"health", health.reason},
                               {"waiting_ms", (clock_.now() - began_).count}});
  }

 private:
  const Clock& clock_;
  const ProcessPlan& plan_;
  const UnixMs began_;
  std::int64_t told_us_;
  bool told_denied_ = false;
};

}  // namespace

ServerProcess::ServerProcess(std::unique_ptr<ServerParts> parts) : parts_(std::move(parts)) {}
ServerProcess::~ServerProcess() = default;

Result<std::unique_ptr<ServerProcess>> ServerProcess::open(ProcessPlan plan) {
  http::raise_open_files();  // the stores open many as well
  ST_ASSIGN(DataDirectory directory, DataDirectory::open(plan.directory));
  auto parts = std::make_unique<ServerParts>(std::move(plan), std::move(directory));
  ST_CHECK_OK(parts->open());
  return std::unique_ptr<ServerProcess>(new ServerProcess(std::move(parts)));
}

std::string ServerProcess::url() const {
  if (!parts_->public_server) return "";
  return http_url(parts_->plan.config.server.listen, parts_->public_server->port());
}

std::string ServerProcess::hosts_join_at() const {
  return parts_->launcher ? parts_->launcher->listens_at() : "";
}

std::string ServerProcess::admin_url() const {
  if (!parts_->admin_server) return "";
  return http_url(parts_->plan.config.server.admin_listen, parts_->admin_server->port());
}

// Goes on where it was when it failed before.
Status ServerProcess::join_log() {
  if (parts_->keys) {
    const Status checked = parts_->keys->check_shared();
    if (!checked.ok()) parts_->runtime->waits_for(checked.error());
    ST_CHECK_OK(checked);
  }
  return parts_->runtime->start();
}

Status ServerProcess::get_ready(const EndAsked& end_asked) {
  Progress progress(parts_->clock, parts_->plan);
  for (Millis pause = kRetryFirst;; pause = std::min(Millis{pause.count * 2}, kRetryLast)) {
    const Status joined = join_log();
    if (joined.ok()) break;
    // Denied: by the brokers, until an administrator grants the right.
    if (!joined.error().retryable() && joined.error().code != ErrorCode::denied) return joined;
    progress.tell(joined.error(), parts_->log->health());
    if (end_asked(pause)) return ended_early(joined.error().message);
  }
  for (;;) {
    std::string because = not_ready_because();
    if (because.empty()) because = not_live_because();
    if (because.empty()) return {};
    progress.tell({ErrorCode::unavailable, because, ""}, parts_->log->health());
    if (end_asked(kLookEvery)) return ended_early(because);
  }
}

void ServerProcess::serve(const EndAsked& end_asked) {
  std::string told;
  while (!end_asked(kWatchEvery)) {
    const std::string because = not_ready_because();
    if (because == told) continue;
    if (because.empty()) {
      log_info("ready again", {});
    } else {
      log_warn("not ready", {{"because", because}});
    }
    told = because;
  }
}

std::string ServerProcess::not_ready_because() const {
  std::string because = parts_->runtime->not_ready_because();
  if (!because.empty()) return because;
  const LogHealth health = parts_->log->health();
  const bool denied = health.level != LogHealth::Level::ok && health.code == ErrorCode::denied;
  return denied ? health.reason : "";
}

// Of a process that has all roles: until then nothing is done with what is asked of it. One that
// shares them with others may have been given nothing.
std::string ServerProcess::not_live_because() const {
  if (parts_->plan.roles != all_roles()) return "";
  for (const PartitionStatus& partition : parts_->runtime->status()) {
    for (const RoleStatus& role : partition.roles) {
      const bool others = std::any_of(
          partition.owners.begin(), partition.owners.end(), [&](const OwnerStatus& owner) {
            return owner.role == role.role && owner.instance != parts_->instance;
          });
      if (role.live || (!role.assigned && others)) continue;
      return role.role + " is not live on " + partition.where.text();
    }
  }
  return "";
}

Result<http::Response> ServerProcess::ask_operator(http::Request request, Millis deadline) {
  auto responder = std::make_shared<LocalResponder>();
  auto answer = responder->future();
  parts_->gateway->operator_handler()(std::move(request), responder);
  if (answer.wait_for(std::chrono::milliseconds(deadline.count)) != std::future_status::ready) {
    return Error{ErrorCode::timeout, "the operator's request was not answered in time", ""};
  }
  return answer.get();
}

}  // namespace sandtrail
