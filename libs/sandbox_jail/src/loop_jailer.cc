// SPDX-License-Identifier: Apache-2.0
// The jailer's messages, and its death.
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>

#include "base/limits.h"
#include "loop.h"

namespace sandtrail {
namespace {

KillReason reason_of(jail::JailerKill kill) {
  switch (kill) {
    case jail::JailerKill::process_flood:
      return KillReason::process_flood;
    case jail::JailerKill::deadline:
      return KillReason::wall_time;
    case jail::JailerKill::none:
    case jail::JailerKill::out_of_memory:  // told by oom_kills
      return KillReason::none;
  }
  return KillReason::none;
}

Error jailer_gone() {
  return Error{ErrorCode::unavailable, "the jailer died", ""};
}

}  // namespace

Status JailDriver::Loop::watch_jailer() {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kJailerTag;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, jailer_->fd(), &event) == 0) return {};
  return errno_error("epoll_ctl", errno);
}

void JailDriver::Loop::on_jailer() {
  while (jailer_) {
    const auto message = jailer_->receive();
    if (!message.ok()) {
      on_jailer_gone();
      return;
    }
    if (!message.value()) return;
    if (const auto* ended = std::get_if<jail::JailEnded>(&*message.value())) {
      on_jailer(*ended);
    } else if (const auto* reaped = std::get_if<jail::JailReaped>(&*message.value())) {
      on_jailer(*reaped);
    } else if (const auto* listed = std::get_if<jail::JailsListed>(&*message.value())) {
      on_jailer(*listed);
    }
  }
}

void JailDriver::Loop::on_jailer(const jail::JailEnded& ended) {
  const auto found = sandboxes_.find(ended.id);
  if (found == sandboxes_.end()) return;
  auto& sandbox = found->second;
  // Every process is dead, so what the agent said stands in the socket.
  while (sandbox.channel.valid() && read_channel(sandbox)) {
  }
  auto& facts = sandbox.facts;
  facts.killed = reason_of(ended.kill);
  facts.error = ended.error;
  facts.cpu_us = ended.usage.cpu_us;
  facts.memory_peak_bytes = ended.usage.memory_peak_bytes;
  facts.oom_kills = ended.usage.oom_kills;
  facts.process_limit_hits = ended.usage.fork_refusals;
  finish(ended.id);
}

void JailDriver::Loop::on_jailer(const jail::JailReaped& reaped) {
  for (auto& [id, sandbox] : sandboxes_) {
    if (!sandbox.lost || sandbox.name != reaped.name) continue;
    finish(id);
    return;
  }
  for (auto reap = reaps_.begin(); reap != reaps_.end(); ++reap) {
    if (reap->name != reaped.name) continue;
    reap->answer.set_value(reaped.error ? Status(*reaped.error) : Status());
    reaps_.erase(reap);
    return;
  }
}

void JailDriver::Loop::on_jailer(const jail::JailsListed& listed) {
  if (lists_.empty()) return;
  auto names = listed.names;
  std::erase_if(names, [this](const std::string& name) { return alive(name); });
  lists_.front().answer.set_value(std::move(names));
  lists_.pop_front();
}

bool JailDriver::Loop::alive(const std::string& name) const {
  return std::any_of(sandboxes_.begin(), sandboxes_.end(),
                     [&](const auto& entry) { return entry.second.name == name; });
}

// The kernel has killed the sandboxes with it (PR_SET_PDEATHSIG); a new jailer removes what is left
// of them, and only then are they reported.
void JailDriver::Loop::on_jailer_gone() {
  jailer_.reset();
  jailer_pid_ = 0;
  for (auto& list : lists_) list.answer.set_value({});
  lists_.clear();
  for (auto& reap : reaps_) reap.answer.set_value(jailer_gone());
  reaps_.clear();
  for (auto& [id, sandbox] : sandboxes_) {
    sandbox.lost = true;
    sandbox.facts.lost = true;
    sandbox.facts.error = jailer_gone();
    sandbox.channel.reset();
  }
  if (restart_jailer().ok()) {
    for (const auto& [id, sandbox] : sandboxes_) jailer_->send(jail::ReapJail{sandbox.name});
    return;
  }
  while (!sandboxes_.empty()) finish(sandboxes_.begin()->first);
}

Status JailDriver::Loop::restart_jailer() {
  const auto now_us = clock_.monotonic_us();
  if (now_us < restart_due_us_) return jailer_gone();
  restart_due_us_ = now_us + limits::kJailerRestartInterval.count * 1000;
  ST_ASSIGN(jailer_, JailerProcess::start(options_));
  jailer_pid_ = jailer_->pid();
  return watch_jailer();
}

void JailDriver::Loop::execute(List& list) {
  if (!jailer_ && !restart_jailer().ok()) {
    list.answer.set_value({});
    return;
  }
  lists_.push_back(std::move(list));
  jailer_->send(jail::ListJails{});
}

void JailDriver::Loop::execute(Reap& reap) {
  if (alive(reap.name)) {
    reap.answer.set_value(Error{ErrorCode::conflict, "this sandbox is running", ""});
  } else if (!jailer_ && !restart_jailer().ok()) {
    reap.answer.set_value(jailer_gone());
  } else {
    jailer_->send(jail::ReapJail{reap.name});
    reaps_.push_back(std::move(reap));
  }
}

}  // namespace sandtrail
