// SPDX-License-Identifier: Apache-2.0
#include "loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/limits.h"

namespace sandtrail {
namespace {

constexpr int kEventsMax = 64;

}  // namespace

JailDriver::Loop::Loop(JailOptions options, const Clock& clock,
                       std::unique_ptr<JailerProcess> jailer)
    : options_(std::move(options)),
      clock_(clock),
      controls_(jailer->ready().controls),
      controls_missing_(jailer->ready().controls_missing),
      jailer_pid_(jailer->pid()),
      slot_taken_(static_cast<std::size_t>(options_.slots_max), false),
      jailer_(std::move(jailer)) {}

Status JailDriver::Loop::start() {
  epoll_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  wake_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll_.valid() || !wake_.valid()) return errno_error("epoll", errno);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeTag;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) {
    return errno_error("epoll_ctl", errno);
  }
  ST_CHECK_OK(watch_jailer());
  thread_ = std::thread([this] { run(); });
  return {};
}

void JailDriver::Loop::shut_down() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
  if (thread_.joinable()) thread_.join();
}

Result<JailDriver::Loop::Place> JailDriver::Loop::take_place() {
  const std::lock_guard lock(mutex_);
  const auto free = std::find(slot_taken_.begin(), slot_taken_.end(), false);
  if (free == slot_taken_.end()) {
    return Error{ErrorCode::overloaded, "all sandbox slots are taken", ""};
  }
  *free = true;
  return Place{++last_id_, static_cast<std::uint32_t>(free - slot_taken_.begin())};
}

void JailDriver::Loop::leave(const Place& place) {
  const std::lock_guard lock(mutex_);
  slot_taken_[place.slot] = false;
}

bool JailDriver::Loop::post(Command command) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    commands_.push_back(std::move(command));
  }
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
  return true;
}

bool JailDriver::Loop::take_commands() {
  std::uint64_t count = 0;
  (void)!::read(wake_.get(), &count, sizeof count);
  std::deque<Command> commands;
  bool stopping = false;
  {
    const std::lock_guard lock(mutex_);
    commands.swap(commands_);
    stopping = stopping_;
  }
  for (auto& command : commands) {
    std::visit([this](auto& order) { execute(order); }, command);
  }
  return !stopping;
}

void JailDriver::Loop::run() {
  bool serving = true;
  std::int64_t give_up_us = 0;
  while (serving || !sandboxes_.empty()) {
    turn();
    const auto now_us = clock_.monotonic_us();
    if (serving && !take_commands()) {
      serving = false;
      give_up_us = now_us + limits::kJailerAnswerTimeout.count * 1000;
      for (auto& [id, sandbox] : sandboxes_) sandbox.session.stop(KillReason::host_shutdown);
    }
    look_after();
    if (!serving && now_us > give_up_us) break;
  }
  // Only what the kernel cannot kill (a device that does not answer) is left here.
  while (!sandboxes_.empty()) {
    auto& sandbox = sandboxes_.begin()->second;
    sandbox.facts.lost = true;
    sandbox.facts.error = Error{ErrorCode::timeout, "the sandbox cannot be ended", ""};
    finish(sandboxes_.begin()->first);
  }
  jailer_.reset();
}

// Waits for events and hands them out.
void JailDriver::Loop::turn() {
  epoll_event events[kEventsMax];
  const int count = ::epoll_wait(epoll_.get(), events, kEventsMax, timeout_ms());
  for (int i = 0; i < count; ++i) {
    const auto tag = events[i].data.u64;
    if (tag == kJailerTag) {
      if (jailer_ && (events[i].events & EPOLLOUT) != 0) jailer_->flush();
      on_jailer();
    } else if (tag != kWakeTag) {
      const auto found = sandboxes_.find(static_cast<std::uint32_t>(tag));
      if (found != sandboxes_.end()) on_channel(found->second, events[i].events);
    }
  }
}

int JailDriver::Loop::timeout_ms() const {
  std::int64_t due_us = INT64_MAX;
  for (const auto& [id, sandbox] : sandboxes_) {
    due_us = std::min(due_us, sandbox.session.deadline_us());
  }
  constexpr std::int64_t kIdleMs = 500;  // shutting down without an event
  const auto wait_us = due_us - clock_.monotonic_us();
  return static_cast<int>(std::clamp<std::int64_t>(wait_us / 1000 + 1, 0, kIdleMs));
}

void JailDriver::Loop::look_after() {
  const auto now_us = clock_.monotonic_us();
  for (auto& [id, sandbox] : sandboxes_) {
    sandbox.session.on_time(now_us);
    if (sandbox.session.doomed() && !sandbox.kill_sent && !sandbox.lost && jailer_) {
      sandbox.kill_sent = true;
      jailer_->send(jail::KillJail{id});
    }
  }
  if (jailer_) {
    epoll_event event{};
    event.events = EPOLLIN | (jailer_->unsent() ? EPOLLOUT : 0U);
    event.data.u64 = kJailerTag;
    (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, jailer_->fd(), &event);
  }
}

void JailDriver::Loop::finish(std::uint32_t id) {
  auto node = sandboxes_.extract(id);
  auto& sandbox = node.mapped();
  auto exit = sandbox.session.finish(sandbox.facts, clock_.monotonic_us());
  finish_launch(sandbox.launch, std::move(exit));
}

void JailDriver::Loop::finish_launch(Launch& launch, SandboxExit exit) {
  exit.controls = controls_;
  exit.controls_missing = controls_missing_;
  leave(launch.place);  // first, so that on_exit may launch the next
  if (launch.events.on_exit) launch.events.on_exit(std::move(exit));
}

}  // namespace sandtrail
