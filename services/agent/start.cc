// SPDX-License-Identifier: Apache-2.0
// The child's way from the agent to the program.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "files.h"
#include "identity.h"
#include "program.h"

namespace sandtrail::agent {
namespace {

constexpr int kCannotRun = 126;  // as shells have it
constexpr int kNotFound = 127;

std::string_view find_path(const Program& program) {
  std::string_view path = "/usr/bin:/bin";
  for (const auto& [name, value] : program.environment) {
    if (name == "PATH") path = value;
  }
  return path;
}

// Gives the kernel's out-of-memory killer the program before the agent, which has to report it.
void volunteer_for_memory_kill() {
  const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  (void)!::write(fd, "1000", 4);
  ::close(fd);
}

// Tries argv[0] as it is or in each directory of `path`; returns the errno that says most.
int execute(const guest::Stage& stage, std::string_view path, char* const* argv,
            char* const* environment) {
  const auto& name = stage.argv[0];
  if (name.find('/') != std::string::npos) {
    ::execve(name.c_str(), argv, environment);
    return errno;
  }
  int worst = ENOENT;
  while (!path.empty()) {
    const auto end = path.find(':');
    const auto file = std::string(path.substr(0, end)) + "/" + name;
    ::execve(file.c_str(), argv, environment);
    if (errno != ENOENT && errno != ENOTDIR) worst = errno;
    path = end == std::string_view::npos ? std::string_view() : path.substr(end + 1);
  }
  return worst;
}

[[noreturn]] void become_stage(const guest::Stage& stage, const Program& program, int input,
                               int out, int err) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  std::vector<std::string> variables;
  for (const auto& [name, value] : program.environment) variables.push_back(name + "=" + value);
  std::vector<char*> environment;
  for (auto& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  std::vector<char*> argv;
  // execve(2) takes char* for history's sake and changes nothing.
  for (const auto& argument : stage.argv) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  volunteer_for_memory_kill();
  const bool ready = ::setsid() >= 0 && ::dup2(input, 0) >= 0 && ::dup2(out, 1) >= 0 &&
                     ::dup2(err, 2) >= 0 && ::syscall(SYS_close_range, 3, ~0U, 0) == 0 &&
                     become_program().ok() && ::chdir("/work") == 0;
  const int error =
      ready ? execute(stage, find_path(program), argv.data(), environment.data()) : errno;
  const auto text = "cannot run " + stage.argv[0] + ": " + std::strerror(error) + "\n";
  (void)!::write(2, text.data(), text.size());
  ::_exit(error == ENOENT ? kNotFound : kCannotRun);
}

Status make_pipe(UniqueFd& reader, UniqueFd& writer) {
  int fds[2];
  const AsProgram as_program;  // so that the program may open /dev/stdout
  if (::pipe2(fds, O_CLOEXEC) != 0) return errno_error("pipe2", errno);
  reader = UniqueFd(fds[0]);
  writer = UniqueFd(fds[1]);
  if (::fcntl(reader.get(), F_SETFL, O_NONBLOCK) != 0) return errno_error("fcntl", errno);
  return {};
}

}  // namespace

Result<pid_t> Runner::start(const guest::Stage& stage) {
  UniqueFd out_reader;
  UniqueFd out_writer;
  UniqueFd err_reader;
  UniqueFd err_writer;
  ST_CHECK_OK(make_pipe(out_reader, out_writer));
  ST_CHECK_OK(make_pipe(err_reader, err_writer));
  const auto input = stage.takes_stdin ? open_stdin(program_.input) : open_stdin(UniqueFd());
  if (!input.valid()) return errno_error("cannot open the program's input", errno);
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("cannot fork", errno);
  if (pid == 0) {
    become_stage(stage, program_, input.get(), out_writer.get(), err_writer.get());
  }
  out_.attach(std::move(out_reader));
  err_.attach(std::move(err_reader));
  return pid;
}

}  // namespace sandtrail::agent
