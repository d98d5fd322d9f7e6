// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "base/fd.h"

namespace sandtrail {
namespace {

Status write_all(int fd, BytesView content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno_error("cannot write " + path, errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// With O_EXCL, conflict if it is there.
Status write_new(const std::string& path, int flag, BytesView content, unsigned mode) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flag, mode));
  if (!fd.valid() && errno == EEXIST) return Error{ErrorCode::conflict, path + " is there", ""};
  if (!fd.valid()) return errno_error("cannot create " + path, errno);
  if (::fchmod(fd.get(), mode) != 0) return errno_error("cannot chmod " + path, errno);
  ST_CHECK_OK(write_all(fd.get(), content, path));
  if (::fdatasync(fd.get()) != 0) return errno_error("cannot sync " + path, errno);
  return {};
}

Status sync_directory_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return sync_directory(slash == std::string::npos ? "." : path.substr(0, slash + 1));
}

Result<Bytes> read_fd(int fd, const std::string& path, std::size_t bytes_max) {
  Bytes out;
  char buffer[16384];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("cannot read " + path, errno);
    if (got == 0) return out;
    out.append(buffer, static_cast<std::size_t>(got));
    if (out.size() > bytes_max) {
      return Error{ErrorCode::overloaded,
                   path + " is longer than " + std::to_string(bytes_max) + " bytes", ""};
    }
  }
}

}  // namespace

Result<Bytes> read_file(const std::string& path, std::size_t bytes_max) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return errno_error("cannot open " + path, errno);
  return read_fd(fd.get(), path, bytes_max);
}

Status write_file_durably(const std::string& path, BytesView content, unsigned mode) {
  const std::string temporary = path + ".new";
  ST_CHECK_OK(write_new(temporary, O_TRUNC, content, mode));
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return errno_error("cannot rename " + temporary, errno);
  }
  return sync_directory_of(path);
}

Status create_file_durably(const std::string& path, BytesView content, unsigned mode) {
  const std::string temporary = path + ".new";
  const Status written = write_new(temporary, O_EXCL, content, mode);
  if (!written && written.error().code == ErrorCode::conflict) {
    return Error{ErrorCode::conflict, temporary + " is there",
                 "another process is making " + path + ", or died doing so: then remove it"};
  }
  const int linked = written ? ::link(temporary.c_str(), path.c_str()) : 0;
  const int error = linked == 0 ? 0 : errno;
  ::unlink(temporary.c_str());
  ST_CHECK_OK(written);
  if (error == EEXIST) return Error{ErrorCode::conflict, path + " is there already", ""};
  if (error != 0) return errno_error("cannot create " + path, error);
  return sync_directory_of(path);
}

Result<Bytes> read_secret_file(const std::string& path, std::size_t bytes_max) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return errno_error("cannot open " + path, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return errno_error("cannot stat " + path, errno);
  if ((info.st_mode & 077) != 0) {
    return Error{ErrorCode::denied, path + " can be read by others", "chmod 600 " + path};
  }
  return read_fd(fd.get(), path, bytes_max);
}

Status make_directories(const std::string& path, unsigned mode) {
  for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    const std::string part = path.substr(0, at);
    if (::mkdir(part.c_str(), mode) == 0) {
      ST_CHECK_OK(sync_directory_of(part));
    } else if (errno != EEXIST) {
      return errno_error("cannot create directory " + part, errno);
    }
    if (at == std::string::npos) return {};
  }
}

std::uint64_t free_bytes(const std::string& directory) {
  struct statvfs info {};
  if (::statvfs(directory.c_str(), &info) != 0) return std::numeric_limits<std::uint64_t>::max();
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

Status sync_directory(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return errno_error("cannot open directory " + path, errno);
  if (::fsync(fd.get()) != 0) return errno_error("cannot sync directory " + path, errno);
  return {};
}

}  // namespace sandtrail
