// SPDX-License-Identifier: Apache-2.0
#include "jail/mounts.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/fd.h"

namespace sandtrail::jail {
namespace {

constexpr unsigned kTmpfsFlags = MS_NOSUID | MS_NODEV;

Status mount_tmpfs(const char* target, unsigned long flags, const std::string& options) {
  if (::mount("sandtrail", target, "tmpfs", flags, options.c_str()) == 0) return {};
  return errno_error(std::string("cannot mount a tmpfs on ") + target, errno);
}

Status bind(const char* source, const char* target) {
  if (::mount(source, target, nullptr, MS_BIND, nullptr) == 0) return {};
  return errno_error(std::string("cannot bind ") + target, errno);
}

Status set_owned_directory(const char* path, mode_t mode, uid_t owner) {
  if (::mkdir(path, mode) != 0 || ::chmod(path, mode) != 0 || ::chown(path, owner, owner) != 0) {
    return errno_error(std::string("cannot create ") + path, errno);
  }
  return {};
}

}  // namespace

Status mount_private(const PrivateMounts& mounts) {
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
              "hidepid=invisible,subset=pid") != 0) {
    return errno_error("cannot mount /proc", errno);
  }
  // One file system, so that one limit covers everything writable; its root is buried under the
  // last bind.
  ST_CHECK_OK(mount_tmpfs("/work", kTmpfsFlags,
                          "mode=0755,size=" + std::to_string(mounts.disk_bytes) +
                              ",nr_inodes=" + std::to_string(mounts.inodes)));
  ST_CHECK_OK(set_owned_directory("/work/tmp", 01777, mounts.owner));
  ST_CHECK_OK(set_owned_directory("/work/shm", 01777, mounts.owner));
  ST_CHECK_OK(set_owned_directory("/work/work", 0755, mounts.owner));
  ST_CHECK_OK(bind("/work/tmp", "/tmp"));
  ST_CHECK_OK(bind("/work/shm", "/dev/shm"));
  ST_CHECK_OK(bind("/work/work", "/work"));
  return {};
}

}  // namespace sandtrail::jail
