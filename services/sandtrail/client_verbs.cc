// SPDX-License-Identifier: Apache-2.0
#include "client_verbs.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "base/clock.h"
#include "base/random.h"
#include "cli/cli.h"
#include "http_beast/client.h"
#include "launcher_status.h"
#include "log_places.h"
#include "loss.h"
#include "paths.h"
#include "readers_log.h"
#include "role_command.h"

#ifndef SANDTRAIL_VERSION
#error "the build names the version"
#endif

namespace sandtrail {
namespace {

bool write_all(int fd, BytesView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

Result<Bytes> read_all(int fd, std::size_t bytes_max) {
  Bytes out;
  char buffer[16384];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("cannot read standard input", errno);
    if (got == 0) return out;
    out.append(buffer, static_cast<std::size_t>(got));
    if (out.size() > bytes_max) {
      return Error{ErrorCode::overloaded,
                   "standard input is longer than " + std::to_string(bytes_max) + " bytes", ""};
    }
  }
}

void pause_for(Millis span) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, std::chrono::milliseconds(span.count));
}

bool confirm(std::string_view question) {
  if (::isatty(STDIN_FILENO) != 1 || !write_all(STDERR_FILENO, question)) return false;
  char answer[16] = {};
  return std::fgets(answer, sizeof answer, stdin) != nullptr && std::string_view(answer) == "yes\n";
}

}  // namespace

int run_client_verb(const std::vector<std::string>& arguments) {
  http::ClientOptions options;
  // The user names the server; the policy is for addresses that others name.
  options.policy.allow_private = true;
  auto client = http::make_client(std::move(options));
  if (!client.ok()) {
    std::fprintf(stderr, "sandtrail: %s\n", client.error().text().c_str());
    return 3;
  }
  const SystemClock clock;
  SystemRandom random;
  CliParts parts{**client, clock, random, process_environment(), {}, {}, false, false, {}, {}, {},
                 {},       {},    {},     SANDTRAIL_VERSION};
  parts.out = [](BytesView bytes) { return write_all(STDOUT_FILENO, bytes); };
  parts.err = [](BytesView bytes) { return write_all(STDERR_FILENO, bytes); };
  parts.out_is_terminal = ::isatty(STDOUT_FILENO) == 1;
  parts.err_is_terminal = ::isatty(STDERR_FILENO) == 1;
  parts.read_input = [](std::size_t bytes_max) { return read_all(STDIN_FILENO, bytes_max); };
  parts.pause = pause_for;
  parts.open_log = [&clock](const std::string& data_directory,
                            const std::optional<Config>& config) {
    return open_readers_log(data_directory, config, clock);
  };
  parts.find_loss = [&](const std::string& data_directory) {
    return find_log_loss(data_directory, clock, random);
  };
  parts.accept_loss = [&](const std::string& data_directory, const std::string& reason) {
    return accept_log_loss(data_directory, reason, clock, random);
  };
  parts.confirm = confirm;
  parts.places = make_log_places(clock, random);
  parts.ask_launcher = ask_launcher;
  parts.projections = make_projections;
  parts.other_verbs = role_verbs();
  parts.other_verbs.insert(
      parts.other_verbs.begin(),
      {{"dev", "run all roles in one process"},
       {"init", "make the keys that the processes of a cluster share"},
       {"backup", "copy an embedded log, or the data keys, also while it runs"},
       {"restore", "make a data directory of backups"},
       {"verify", "read all of a backup and compare it with its digests"}});
  parts.other_verbs.push_back({"host", "run executions for launchers on other machines"});
  return run_cli(arguments, std::move(parts));
}

}  // namespace sandtrail
