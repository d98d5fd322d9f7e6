// SPDX-License-Identifier: Apache-2.0
#include "cgroup_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace sandtrail::jail {
namespace {

constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
constexpr std::size_t kCgroupFileBytesMax = 1 << 20;  // cgroup.procs of a very full group

// A predecessor that was killed may leave sandboxes that are not quite dead yet and, if they were
// just being born, still share its lock.
bool lock_soon(int fd) {
  constexpr int kTries = 100;
  constexpr int kPauseMs = 10;
  for (int tried = 0; tried < kTries; ++tried) {
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
    ::poll(nullptr, 0, kPauseMs);
  }
  return false;
}

// The owner before may have removed what was opened while it held the lock.
bool still_named(int parent, const std::string& name, int fd) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(fd, &opened) == 0 &&
         ::fstatat(parent, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

}  // namespace

Result<InstanceDirectory> InstanceDirectory::open(const std::string& parent,
                                                  const std::string& name, bool lock) {
  InstanceDirectory made;
  const auto path = parent + "/" + name;
  made.parent_ = UniqueFd(::open(parent.c_str(), kDirectoryFlags));
  if (!made.parent_.valid()) return errno_error("cannot open the cgroup " + parent, errno);
  constexpr int kTries = 16;  // each is lost only to a predecessor that ends just then
  for (int tried = 0; tried < kTries; ++tried) {
    if (::mkdirat(made.parent_.get(), name.c_str(), 0755) != 0 && errno != EEXIST) {
      return errno_error("cannot create the cgroup " + path, errno);
    }
    made.fd_ = open_directory(made.parent_.get(), name);
    if (!made.fd_.valid() && errno == ENOENT) continue;
    if (!made.fd_.valid()) return errno_error("cannot open the cgroup " + path, errno);
    if (lock && !lock_soon(made.fd_.get())) break;
    if (!still_named(made.parent_.get(), name, made.fd_.get())) continue;
    made.name_ = name;  // from here on it is ours to remove
    return made;
  }
  return Error{ErrorCode::conflict, "the cgroup " + path + " belongs to another running jailer",
               "give each service on this host its own instance name"};
}

InstanceDirectory::~InstanceDirectory() {
  if (fd_.valid() && !name_.empty()) (void)remove_directory(parent_.get(), name_);
}

Result<UniqueFd> make_directory(int parent, const std::string& name) {
  if (::mkdirat(parent, name.c_str(), 0755) != 0) {
    if (errno == EEXIST) {
      return Error{ErrorCode::conflict, "the cgroup " + name + " is left over", "reap it first"};
    }
    return errno_error("cannot create the cgroup " + name, errno);
  }
  auto fd = open_directory(parent, name);
  if (!fd.valid()) return errno_error("cannot open the cgroup " + name, errno);
  return fd;
}

UniqueFd open_directory(int parent, const std::string& name) {
  return UniqueFd(::openat(parent, name.c_str(), kDirectoryFlags));
}

Status remove_directory(int parent, const std::string& name) {
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
  return errno_error("cannot remove the cgroup " + name, errno);
}

bool file_exists(int directory, const char* name) {
  return ::faccessat(directory, name, F_OK, 0) == 0;
}

int write_file_errno(int directory, const char* name, std::string_view value) {
  UniqueFd fd(::openat(directory, name, O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) return errno;
  return ::write(fd.get(), value.data(), value.size()) < 0 ? errno : 0;
}

Status write_file_at(int directory, const char* name, std::string_view value) {
  const int error = write_file_errno(directory, name, value);
  if (error == 0) return {};
  return errno_error(std::string("cannot write ") + name, error);
}

std::string read_file_at(int directory, const char* name) {
  UniqueFd fd(::openat(directory, name, O_RDONLY | O_CLOEXEC));
  std::string text;
  char buffer[4096];
  while (fd.valid() && text.size() < kCgroupFileBytesMax) {
    const auto count = ::read(fd.get(), buffer, sizeof buffer);
    if (count <= 0) break;
    text.append(buffer, static_cast<std::size_t>(count));
  }
  return text;
}

std::vector<int> read_pids(int directory) {
  const auto text = read_file_at(directory, "cgroup.procs");
  std::vector<int> pids;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  while (at < end) {
    int pid = 0;
    const auto parsed = std::from_chars(at, end, pid);
    if (parsed.ec != std::errc()) break;
    // 0 stands for a process outside our pid namespace: never a target for kill(2).
    if (pid > 0) pids.push_back(pid);
    at = parsed.ptr + 1;
  }
  return pids;
}

void list_owned_directories(int directory, std::vector<std::string>& names) {
  const int copy = ::openat(directory, ".", kDirectoryFlags);
  DIR* stream = copy >= 0 ? ::fdopendir(copy) : nullptr;
  if (stream == nullptr) {
    if (copy >= 0) ::close(copy);
    return;
  }
  while (const dirent* entry = ::readdir(stream)) {
    if (!is_owned_name(entry->d_name)) continue;
    if (std::find(names.begin(), names.end(), entry->d_name) == names.end()) {
      names.emplace_back(entry->d_name);
    }
  }
  ::closedir(stream);
}

}  // namespace sandtrail::jail
