// SPDX-License-Identifier: Apache-2.0
#include "jailer.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/limits.h"
#include "sandbox_process.h"

namespace sandtrail::jailer {
namespace {

std::string read_all(int fd) {
  char text[512];
  const auto count = ::read(fd, text, sizeof text);
  return count > 0 ? std::string(text, static_cast<std::size_t>(count)) : std::string();
}

// One packet and the descriptor that may come with it. End of file: empty packet.
Bytes receive_packet(int control, UniqueFd& descriptor) {
  Bytes packet(limits::kJailerPacketBytesMax, '\0');
  iovec part{packet.data(), packet.size()};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  ssize_t count = -1;
  do {
    count = ::recvmsg(control, &message, MSG_CMSG_CLOEXEC);
  } while (count < 0 && errno == EINTR);
  packet.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (count > 0 && header != nullptr && header->cmsg_type == SCM_RIGHTS &&
      header->cmsg_len == CMSG_LEN(sizeof(int))) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    descriptor.reset(fd);
  }
  return packet;
}

}  // namespace

void Jailer::serve(int control) {
  control_ = control;
  bool serving = true;
  while (serving || !sandboxes_.empty()) {
    std::vector<pollfd> polled;
    polled.push_back({serving ? control : -1, POLLIN, 0});
    for (const auto& sandbox : sandboxes_) polled.push_back({sandbox.pidfd.get(), POLLIN, 0});
    (void)::poll(polled.data(), polled.size(), timeout_ms());
    if (polled[0].revents != 0 && !receive(control)) {
      serving = false;
      for (auto& sandbox : sandboxes_) kill(sandbox, jail::JailerKill::none);
    }
    for (std::size_t i = 1; i < polled.size(); ++i) {
      // receive() only appends, so the indices still fit.
      if (polled[i].revents != 0) bury(sandboxes_[i - 1]);
    }
    std::erase_if(sandboxes_, [](const Sandbox& sandbox) { return !sandbox.pidfd.valid(); });
    watch();
    // Between launches, so that the next one need not wait for the dearest namespace of all.
    if (!network_fresh_ && serving) network_fresh_ = jail::enter_fresh_network().ok();
  }
}

int Jailer::timeout_ms() const {
  return sandboxes_.empty() ? -1 : static_cast<int>(limits::kJailWatchInterval.count);
}

bool Jailer::receive(int control) {
  UniqueFd descriptor;
  const auto packet = receive_packet(control, descriptor);
  if (packet.empty()) return false;
  const auto message = jail::parse_to_jailer(packet);
  if (!message) return false;  // a service of another build: nothing it says can be trusted
  if (const auto* request = std::get_if<jail::LaunchJail>(&*message)) {
    handle(*request, std::move(descriptor));
  } else if (const auto* kill = std::get_if<jail::KillJail>(&*message)) {
    handle(*kill);
  } else if (const auto* list = std::get_if<jail::ListJails>(&*message)) {
    handle(*list);
  } else if (const auto* reap = std::get_if<jail::ReapJail>(&*message)) {
    handle(*reap);
  }
  return true;
}

void Jailer::handle(const jail::LaunchJail& request, UniqueFd channel) {
  auto sandbox = launch(request, channel);
  if (sandbox.ok()) {
    sandboxes_.push_back(std::move(sandbox).value());
    return;
  }
  jail::JailEnded ended;
  ended.id = request.id;
  ended.error = sandbox.error();
  channel.reset();
  send(ended);
}

Result<Jailer::Sandbox> Jailer::launch(const jail::LaunchJail& request, const UniqueFd& channel) {
  const bool slot_taken = std::any_of(sandboxes_.begin(), sandboxes_.end(),
                                      [&](const Sandbox& s) { return s.slot == request.slot; });
  if (slot_taken || request.slot >= user_namespaces_.size() || !channel.valid() ||
      !jail::is_owned_name(request.name)) {
    return Error{ErrorCode::invalid_argument, "malformed launch request", ""};
  }
  if (!network_fresh_) ST_CHECK_OK(jail::enter_fresh_network());
  network_fresh_ = true;
  ST_ASSIGN(auto cgroup, cgroups_->create(request.name, request.limits));
  jail::PrivateMounts mounts;
  mounts.disk_bytes = request.disk_bytes;
  mounts.inodes = limits::kJailInodesMax;
  mounts.owner = jail::slot_uids(uid_base_, static_cast<int>(request.slot)).program;
  auto born = give_birth({*cgroup, seccomp_, mounts, user_namespaces_[request.slot].fd.get(),
                          agent_.get(), channel.get()});
  if (!born.ok()) {
    (void)cgroup->remove();
    return born.error();
  }
  network_fresh_ = false;
  Sandbox sandbox;
  sandbox.id = request.id;
  sandbox.slot = request.slot;
  sandbox.pidfd = std::move(born->pidfd);
  sandbox.errors = std::move(born->errors);
  sandbox.cgroup = std::move(cgroup);
  sandbox.deadline_us = clock_.monotonic_us() + request.deadline_ms * 1000;
  return sandbox;
}

void Jailer::handle(const jail::KillJail& request) {
  for (auto& sandbox : sandboxes_) {
    if (sandbox.id == request.id) kill(sandbox, jail::JailerKill::none);
  }
}

void Jailer::handle(const jail::ListJails&) {
  jail::JailsListed listed{cgroups_->list()};
  if (listed.names.size() > limits::kOwnedNamesMax) listed.names.resize(limits::kOwnedNamesMax);
  send(listed);
}

void Jailer::handle(const jail::ReapJail& request) {
  jail::JailReaped reaped{request.name, std::nullopt};
  if (jail::is_owned_name(request.name)) {
    const auto status = jail::reap_cgroup(*cgroups_->adopt(request.name));
    if (!status.ok()) reaped.error = status.error();
  } else {
    reaped.error = Error{ErrorCode::invalid_argument, "not a sandbox of ours", ""};
  }
  send(reaped);
}

// What the kernel only counts: after an out-of-memory kill the sandbox as a whole goes (cgroup v1
// cannot do that itself), and so does one that keeps forking against its limit.
void Jailer::watch() {
  const auto now_us = clock_.monotonic_us();
  if (now_us < watch_due_us_) return;
  watch_due_us_ = now_us + limits::kJailWatchInterval.count * 1000;
  for (auto& sandbox : sandboxes_) {
    if (sandbox.kill != jail::JailerKill::none) continue;
    if (now_us >= sandbox.deadline_us) {
      kill(sandbox, jail::JailerKill::deadline);
      continue;
    }
    const auto usage = sandbox.cgroup->usage();
    if (usage.fork_refusals > limits::kForkRefusalsMax) {
      kill(sandbox, jail::JailerKill::process_flood);
    } else if (usage.oom_kills > 0) {
      kill(sandbox, jail::JailerKill::out_of_memory);
    }
  }
}

void Jailer::kill(Sandbox& sandbox, jail::JailerKill reason) {
  if (sandbox.kill == jail::JailerKill::none) sandbox.kill = reason;
  // Either would do: the death of pid 1 ends its pid namespace. Two, since nothing may survive.
  (void)::syscall(SYS_pidfd_send_signal, sandbox.pidfd.get(), SIGKILL, nullptr, 0);
  (void)sandbox.cgroup->kill_all();
}

// The agent is dead, and with pid 1 every process of the pid namespace: the kernel reports its
// death only after theirs.
void Jailer::bury(Sandbox& sandbox) {
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(sandbox.pidfd.get()), &info, WEXITED) != 0 &&
         errno == EINTR) {
  }
  jail::JailEnded ended;
  ended.id = sandbox.id;
  ended.kill = sandbox.kill;
  ended.usage = sandbox.cgroup->usage();
  if (const auto text = read_all(sandbox.errors.get()); !text.empty()) {
    ended.error = Error{ErrorCode::internal, "sandbox set-up: " + text, ""};
  }
  if (ended.kill == jail::JailerKill::none &&
      ended.usage.fork_refusals > limits::kForkRefusalsMax) {
    ended.kill = jail::JailerKill::process_flood;  // over before the next look at the counters
  }
  const auto removed = jail::reap_cgroup(*sandbox.cgroup);
  if (!removed.ok() && !ended.error) ended.error = removed.error();
  sandbox.pidfd.reset();
  send(ended);
}

void Jailer::send(const jail::FromJailer& message) {
  const auto packet = jail::encode(message);
  ssize_t sent = -1;
  do {
    sent = ::send(control_, packet.data(), packet.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  // A closed socket shows in serve() as end of file.
}

}  // namespace sandtrail::jailer
