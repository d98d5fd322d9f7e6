// SPDX-License-Identifier: Apache-2.0
// Launching, and the agents' channels.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/limits.h"
#include "loop.h"

namespace sandtrail {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr int kReadsPerTurn = 16;  // then the other sandboxes have their turn

jail::LaunchJail launch_request(const SandboxSpec& spec, const std::string& name) {
  jail::LaunchJail request;
  request.name = name;
  request.limits.memory_bytes = spec.limits.memory_mib << 20;
  request.limits.processes = spec.limits.processes + 1;  // and the agent
  request.limits.cpu_millis = spec.limits.cpu_millis;
  request.disk_bytes = spec.limits.disk_mib << 20;
  request.deadline_ms =
      limits::kSandboxBootTimeout.count + spec.limits.wall_ms + limits::kJailOverrun.count;
  return request;
}

// The kernel would take most of these for "no limit".
Status check_limits(const SandboxLimits& limits) {
  const bool whole = limits.wall_ms > 0 && limits.memory_mib > 0 && limits.cpu_millis > 0 &&
                     limits.processes > 0 && limits.disk_mib > 0 && limits.output_bytes >= 0 &&
                     limits.output_flood_bytes >= limits.output_bytes;
  const bool bounded =
      limits.memory_mib <= limits::kMemoryMibMax && limits.disk_mib <= limits::kDiskMibMax &&
      limits.wall_ms <= limits::kWallMsMax && limits.output_bytes <= limits::kOutputBytesMax;
  if (whole && bounded) return {};
  return Error{ErrorCode::invalid_argument, "a limit of the sandbox is out of range", ""};
}

}  // namespace

void JailDriver::Loop::execute(Launch& launch) {
  const auto id = launch.place.id;
  AgentSession session(launch.spec, launch.asked_us);
  auto& sandbox =
      sandboxes_
          .emplace(id, Sandbox{std::move(launch), std::move(session), {}, {}, {}, false, false, {}})
          .first->second;
  const auto status = begin(sandbox);
  if (!status.ok()) {
    sandbox.session.fail(status.error());
    finish(id);
  }
}

Status JailDriver::Loop::begin(Sandbox& sandbox) {
  const auto& spec = sandbox.launch.spec;
  ST_CHECK_OK(check_limits(spec.limits));
  ST_ASSIGN(sandbox.orders, encode_orders(spec));
  if (!jailer_) ST_CHECK_OK(restart_jailer());
  sandbox.name = "sandtrail-" + spec.execution.text() + "-" + std::to_string(spec.attempt);
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return errno_error("socketpair", errno);
  }
  sandbox.channel = UniqueFd(pair[0]);
  UniqueFd theirs(pair[1]);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT;
  event.data.u64 = sandbox.launch.place.id;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, sandbox.channel.get(), &event) != 0) {
    return errno_error("epoll_ctl", errno);
  }
  auto request = launch_request(spec, sandbox.name);
  request.id = sandbox.launch.place.id;
  request.slot = sandbox.launch.place.slot;
  jailer_->send(request, std::move(theirs));
  return {};
}

void JailDriver::Loop::execute(Stop& stop) {
  const auto found = sandboxes_.find(stop.id);
  if (found != sandboxes_.end()) found->second.session.stop(stop.reason);
}

void JailDriver::Loop::on_channel(Sandbox& sandbox, std::uint32_t events) {
  if (!sandbox.channel.valid()) return;
  if ((events & EPOLLOUT) != 0) write_channel(sandbox);
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) (void)read_channel(sandbox);
}

bool JailDriver::Loop::read_channel(Sandbox& sandbox) {
  char buffer[kReadBytes];
  for (int reads = 0; reads < kReadsPerTurn; ++reads) {
    const auto count = ::recv(sandbox.channel.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (count <= 0) {
      sandbox.channel.reset();  // leaves epoll with it; the jailer tells of the end
      return false;
    }
    const BytesView bytes(buffer, static_cast<std::size_t>(count));
    const bool started = sandbox.session.on_bytes(bytes, clock_.monotonic_us());
    if (started && sandbox.launch.events.on_started) sandbox.launch.events.on_started();
    give_output(sandbox);
  }
  return true;
}

// Neighbouring messages of one read are one piece, so a program that writes byte by byte costs no
// more calls than this thread has reads.
void JailDriver::Loop::give_output(Sandbox& sandbox) {
  const auto& on_output = sandbox.launch.events.on_output;
  for (const auto& piece : sandbox.session.take_pieces()) {
    if (!on_output) continue;
    const auto stream = piece.stream == guest::Stream::out ? OutputStream::out : OutputStream::err;
    on_output(stream, static_cast<std::int64_t>(piece.offset), sandbox.session.bytes_of(piece));
  }
}

void JailDriver::Loop::write_channel(Sandbox& sandbox) {
  auto& orders = sandbox.orders;
  while (!orders.empty()) {
    const auto count =
        ::send(sandbox.channel.get(), orders.data(), orders.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) orders.clear();  // the agent is gone; the jailer tells of the end
    orders.erase(0, static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  }
  orders.shrink_to_fit();
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = sandbox.launch.place.id;
  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, sandbox.channel.get(), &event);
}

}  // namespace sandtrail
