// SPDX-License-Identifier: Apache-2.0
#include "jailer_process.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/limits.h"

namespace sandtrail {
namespace {

std::string beside_program(const std::string& given, const char* name) {
  if (!given.empty()) return given;
  std::error_code ignored;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return (self.parent_path() / name).string();
}

// posix_spawn attributes, released at the end of the scope.
struct SpawnSettings {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;

  explicit SpawnSettings(int socket) {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, socket, jail::kJailerFd);
    ::posix_spawnattr_init(&attributes);
    sigset_t signals;
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes, &signals);
    ::sigfillset(&signals);
    ::posix_spawnattr_setsigdefault(&attributes, &signals);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
};

}  // namespace

Result<std::unique_ptr<JailerProcess>> JailerProcess::start(const JailOptions& options) {
  std::unique_ptr<JailerProcess> jailer(new JailerProcess());
  ST_CHECK_OK(jailer->spawn(options));
  ST_CHECK_OK(jailer->shake_hands());
  return jailer;
}

JailerProcess::~JailerProcess() {
  socket_.reset();
  if (pid_ <= 0) return;
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Status JailerProcess::spawn(const JailOptions& options) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    return errno_error("socketpair", errno);
  }
  socket_ = UniqueFd(pair[0]);
  const UniqueFd theirs(pair[1]);
  std::string arguments[] = {beside_program(options.jailer_path, "sandtrail-jailer"),
                             beside_program(options.agent_path, "sandtrail-agent"),
                             options.instance, std::to_string(options.slots_max),
                             std::to_string(options.uid_base)};
  char* argv[std::size(arguments) + 1] = {};
  for (std::size_t i = 0; i < std::size(arguments); ++i) argv[i] = arguments[i].data();
  // Without the service's environment, which may hold secrets.
  char* environment[] = {nullptr};
  const SpawnSettings settings(theirs.get());
  const int error =
      ::posix_spawn(&pid_, argv[0], &settings.actions, &settings.attributes, argv, environment);
  if (error == 0) return {};
  pid_ = -1;
  auto failure = errno_error("cannot start " + arguments[0], error);
  failure.hint = "sandtrail-jailer must stand beside the running program, or be named";
  return failure;
}

Status JailerProcess::shake_hands() {
  pollfd polled{socket_.get(), POLLIN, 0};
  const int timeout_ms = static_cast<int>(limits::kJailerAnswerTimeout.count);
  int count = 0;
  do {
    count = ::poll(&polled, 1, timeout_ms);
  } while (count < 0 && errno == EINTR);
  if (count <= 0) return Error{ErrorCode::timeout, "the jailer does not answer", ""};
  ST_ASSIGN(const auto message, receive());
  const auto* ready = message ? std::get_if<jail::JailerReady>(&*message) : nullptr;
  if (ready == nullptr || ready->version != jail::kJailerVersion) {
    return Error{ErrorCode::unavailable, "the jailer is of another version",
                 "install sandtrail and sandtrail-jailer of one release"};
  }
  if (ready->error) return *ready->error;
  ready_ = *ready;
  return {};
}

void JailerProcess::send(const jail::ToJailer& message, UniqueFd descriptor) {
  pending_.push_back({jail::encode(message), std::move(descriptor)});
  flush();
}

void JailerProcess::flush() {
  while (!pending_.empty()) {
    auto& packet = pending_.front();
    iovec part{packet.bytes.data(), packet.bytes.size()};
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (packet.descriptor.valid()) {
      message.msg_control = space;
      message.msg_controllen = sizeof space;
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof(int));
      const int fd = packet.descriptor.get();
      std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    const auto sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    pending_.pop_front();  // sent, or the jailer is gone, which receive() will tell
  }
}

Result<std::optional<jail::FromJailer>> JailerProcess::receive() {
  Bytes packet(limits::kJailerPacketBytesMax, '\0');
  ssize_t count = -1;
  do {
    count = ::recv(socket_.get(), packet.data(), packet.size(), MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    return std::optional<jail::FromJailer>();
  }
  if (count > 0) {
    packet.resize(static_cast<std::size_t>(count));
    auto message = jail::parse_from_jailer(packet);
    if (message) return message;
  }
  return Error{ErrorCode::unavailable, "the jailer is gone", ""};
}

}  // namespace sandtrail
