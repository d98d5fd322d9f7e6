// SPDX-License-Identifier: Apache-2.0
#include "object_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

namespace sandtrail {
namespace {

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// The lock says that somebody writes the file. False if somebody else has it.
bool try_lock(int fd) {
  return ::flock(fd, LOCK_EX | LOCK_NB) == 0;
}

bool has_name(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && info.st_nlink > 0;
}

}  // namespace

IncomingFile::IncomingFile(UniqueFd fd, std::string path)
    : fd_(std::move(fd)), path_(std::move(path)) {}

Result<IncomingFile> IncomingFile::create(const std::string& directory,
                                          std::atomic<std::uint64_t>& counter) {
  for (;;) {
    // Other processes, also of other pid name spaces, may write here: a taken name is passed over.
    std::string path =
        directory + "/" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd.valid() && errno == EEXIST) continue;
    if (!fd.valid()) return errno_error("cannot create " + path, errno);
    // Before it was locked, another process that opened the store may have taken it for left over.
    if (!try_lock(fd.get()) || !has_name(fd.get())) continue;
    return IncomingFile(std::move(fd), std::move(path));
  }
}

IncomingFile::~IncomingFile() {
  if (fd_.valid()) ::unlink(path_.c_str());
}

Status IncomingFile::write(BytesView content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd_.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno_error("cannot write " + path_, errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fdatasync(fd_.get()) != 0) return errno_error("cannot sync " + path_, errno);
  return {};
}

Result<bool> IncomingFile::link_to(const std::string& path) {
  // Unlike rename(2), link(2) never replaces: the first of two writers wins, and both know.
  if (::link(path_.c_str(), path.c_str()) == 0) return true;
  if (errno == EEXIST) return false;
  return errno_error("cannot create " + path, errno);
}

Status remove_left_over_files(const std::string& directory) {
  const std::unique_ptr<DIR, DirectoryCloser> entries(::opendir(directory.c_str()));
  if (entries == nullptr) return errno_error("cannot open directory " + directory, errno);
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    const std::string path = directory + "/" + name;
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd.valid() && errno == ENOENT) continue;  // its writer has just finished
    if (!fd.valid()) return errno_error("cannot open " + path, errno);
    if (!try_lock(fd.get())) continue;
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
      return errno_error("cannot remove " + path, errno);
    }
  }
  return {};
}

}  // namespace sandtrail
