// SPDX-License-Identifier: Apache-2.0
#include "files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "identity.h"

namespace sandtrail::agent {
namespace {

UniqueFd open_beneath(int directory, const std::string& path, std::uint64_t flags, mode_t mode) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(
      static_cast<int>(::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how)));
}

Status make_parents(int work, const std::string& path) {
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (::mkdirat(work, path.substr(0, slash).c_str(), 0755) != 0 && errno != EEXIST) {
      return errno_error("cannot create a directory for a file", errno);
    }
  }
  return {};
}

Status write_all(int fd, BytesView content) {
  while (!content.empty()) {
    const auto count = ::write(fd, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return errno_error("cannot write a file of the program", errno);
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

Status put_file(int work, const guest::PutFile& file) {
  if (!guest::is_relative_path(file.path)) {
    return Error{ErrorCode::invalid_argument, "a file's path is not relative", ""};
  }
  const AsProgram as_program;
  if (!file.append) ST_CHECK_OK(make_parents(work, file.path));
  // A second file of the same name replaces the first, so that a repeated name is no error.
  const auto flags = file.append ? O_WRONLY | O_APPEND : O_WRONLY | O_CREAT | O_TRUNC;
  const auto fd = open_beneath(work, file.path, static_cast<std::uint64_t>(flags),
                               file.executable ? 0755 : 0644);
  if (!fd.valid()) return errno_error("cannot create a file of the program", errno);
  return write_all(fd.get(), file.content);
}

Status put_stdin(UniqueFd& input, BytesView content) {
  const AsProgram as_program;  // so that the program may open /dev/stdin
  if (!input.valid()) input = UniqueFd(::memfd_create("stdin", MFD_CLOEXEC));
  if (!input.valid()) return errno_error("cannot hold the program's input", errno);
  return write_all(input.get(), content);
}

UniqueFd open_stdin(const UniqueFd& input) {
  if (!input.valid()) return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const AsProgram as_program;
  // A descriptor of its own: the program can neither write to the file through it nor move the
  // agent's offset.
  const auto path = "/proc/self/fd/" + std::to_string(input.get());
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

}  // namespace sandtrail::agent
