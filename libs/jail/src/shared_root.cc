// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/fd.h"
#include "base/file.h"
#include "jail/mounts.h"

namespace sandtrail::jail {
namespace {

// Covered by the new root within the jailer's mount namespace only.
const std::string kRoot = "/tmp";
constexpr std::size_t kLoaderCacheBytesMax = 16 << 20;

constexpr const char* kPasswd =
    "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n"
    "sandbox:x:1000:1000:sandbox:/work:/bin/sh\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
constexpr const char* kGroup = "root:x:0:\nsandbox:x:1000:\nnogroup:x:65534:\n";
constexpr const char* kHosts = "127.0.0.1 localhost sandbox\n::1 localhost\n";
constexpr const char* kNsswitch = "passwd: files\ngroup: files\nhosts: files\n";

Status make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0) return {};
  return errno_error("cannot create " + path, errno);
}

Status set_attributes(const std::string& path, std::uint64_t attributes) {
  mount_attr attr{};
  attr.attr_set = attributes;
  if (::syscall(SYS_mount_setattr, AT_FDCWD, path.c_str(), AT_RECURSIVE, &attr, sizeof attr) == 0) {
    return {};
  }
  auto error = errno_error("cannot make " + path + " read-only", errno);
  error.hint = "the process jail needs Linux 5.14 or newer";
  return error;
}

// Binds a directory of the host with what is mounted below it.
Status bind_host(const std::string& path) {
  const auto target = kRoot + path;
  ST_CHECK_OK(make_directory(target));
  if (::mount(path.c_str(), target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
    return errno_error("cannot bind " + path, errno);
  }
  return set_attributes(target, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

// As the host has it: a link into /usr, a directory of its own, or nothing.
Status mirror_host(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return {};
  if (S_ISDIR(info.st_mode)) return bind_host(path);
  if (!S_ISLNK(info.st_mode)) return {};
  char link[256];
  const auto size = ::readlink(path.c_str(), link, sizeof link - 1);
  if (size < 0) return errno_error("cannot read the link " + path, errno);
  link[size] = '\0';
  if (::symlink(link, (kRoot + path).c_str()) == 0) return {};
  return errno_error("cannot create the link " + path, errno);
}

Status write_text(const std::string& path, BytesView text) {
  UniqueFd fd(::open((kRoot + path).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd.valid()) return errno_error("cannot create " + path, errno);
  while (!text.empty()) {
    const auto count = ::write(fd.get(), text.data(), text.size());
    if (count <= 0) return errno_error("cannot write " + path, errno);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Status fill_etc() {
  ST_CHECK_OK(make_directory(kRoot + "/etc"));
  ST_CHECK_OK(write_text("/etc/passwd", kPasswd));
  ST_CHECK_OK(write_text("/etc/group", kGroup));
  ST_CHECK_OK(write_text("/etc/hosts", kHosts));
  ST_CHECK_OK(write_text("/etc/nsswitch.conf", kNsswitch));
  const auto cache = read_file("/etc/ld.so.cache", kLoaderCacheBytesMax);
  if (cache.ok()) ST_CHECK_OK(write_text("/etc/ld.so.cache", cache.value()));
  return mirror_host("/etc/alternatives");  // awk, cc, editor …: links that lead back into /usr
}

Status fill_dev() {
  const auto dev = kRoot + "/dev";
  ST_CHECK_OK(make_directory(dev));
  if (::mount("sandtrail", dev.c_str(), "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=64k") !=
      0) {
    return errno_error("cannot mount /dev", errno);
  }
  struct Device {
    const char* name;
    unsigned minor;
  };
  for (const auto& device : {Device{"null", 3}, Device{"zero", 5}, Device{"full", 7},
                             Device{"random", 8}, Device{"urandom", 9}}) {
    const auto path = dev + "/" + device.name;
    if (::mknod(path.c_str(), S_IFCHR | 0666, makedev(1, device.minor)) != 0 ||
        ::chmod(path.c_str(), 0666) != 0) {
      return errno_error("cannot create " + path, errno);
    }
  }
  struct Link {
    const char* name;
    const char* target;
  };
  for (const auto& link : {Link{"fd", "/proc/self/fd"}, Link{"stdin", "/proc/self/fd/0"},
                           Link{"stdout", "/proc/self/fd/1"}, Link{"stderr", "/proc/self/fd/2"}}) {
    if (::symlink(link.target, (dev + "/" + link.name).c_str()) != 0) {
      return errno_error("cannot create /dev links", errno);
    }
  }
  ST_CHECK_OK(make_directory(dev + "/shm"));
  return set_attributes(dev, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
}

Status pivot() {
  if (::chdir(kRoot.c_str()) != 0) return errno_error("cannot enter the new root", errno);
  // pivot_root(2), "pivot_root(".", ".")": the old root is stacked over the new and then detached.
  if (::syscall(SYS_pivot_root, ".", ".") != 0) {
    auto error = errno_error("cannot change the root", errno);
    error.hint = "the root file system must be a mount point other than the initial ramfs";
    return error;
  }
  if (::umount2(".", MNT_DETACH) != 0) return errno_error("cannot leave the host's tree", errno);
  if (::chdir("/") != 0) return errno_error("cannot enter the new root", errno);
  return {};
}

}  // namespace

Status enter_shared_root() {
  if (::unshare(CLONE_NEWNS) != 0) {
    auto error = errno_error("cannot create a mount namespace", errno);
    error.hint = "the process jail must be started as root (CAP_SYS_ADMIN)";
    return error;
  }
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return errno_error("cannot make mounts private", errno);
  }
  if (::mount("sandtrail", kRoot.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") != 0) {
    return errno_error("cannot mount the new root on " + kRoot, errno);
  }
  for (const char* path : {"/work", "/tmp", "/proc"}) ST_CHECK_OK(make_directory(kRoot + path));
  for (const char* path : {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}) {
    ST_CHECK_OK(mirror_host(path));
  }
  ST_CHECK_OK(fill_etc());
  ST_CHECK_OK(fill_dev());
  // Only the root itself is still writable: below it everything has its own attributes.
  mount_attr attr{};
  attr.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC;
  if (::syscall(SYS_mount_setattr, AT_FDCWD, kRoot.c_str(), 0, &attr, sizeof attr) != 0) {
    return errno_error("cannot make the new root read-only", errno);
  }
  return pivot();
}

}  // namespace sandtrail::jail
