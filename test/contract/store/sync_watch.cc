// SPDX-License-Identifier: Apache-2.0
#include "sync_watch.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace {

std::atomic<int> data_syncs = 0;
std::atomic<int> full_syncs = 0;
std::atomic<bool> fail_data = false;
std::atomic<bool> fail_full = false;

int counted(std::atomic<int>& count, const std::atomic<bool>& fail, long call, int fd) {
  ++count;
  if (!fail) return static_cast<int>(::syscall(call, fd));
  errno = EIO;
  return -1;
}

}  // namespace

extern "C" int fdatasync(int fd) {
  return counted(data_syncs, fail_data, SYS_fdatasync, fd);
}
extern "C" int fsync(int fd) {
  return counted(full_syncs, fail_full, SYS_fsync, fd);
}

namespace sandtrail::test {

int data_sync_count() {
  return data_syncs;
}
int full_sync_count() {
  return full_syncs;
}

FailingSyncs::FailingSyncs(Which which) {
  (which == Which::data ? fail_data : fail_full) = true;
}
FailingSyncs::~FailingSyncs() {
  fail_data = false;
  fail_full = false;
}

}  // namespace sandtrail::test
