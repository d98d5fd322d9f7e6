// SPDX-License-Identifier: Apache-2.0
// What kill -9 cannot show, as the kernel's cache survives it: whether data were handed to the
// disk. Linked into a program, this stands before fsync() and fdatasync() of the C library, also
// for the calls of shared libraries.
#pragma once

namespace sandtrail::test {

// Calls so far of the whole process.
int data_sync_count();  // fdatasync
int full_sync_count();  // fsync

// While it lives, the chosen calls do nothing and fail with EIO.
class FailingSyncs {
 public:
  enum class Which { data, full };
  explicit FailingSyncs(Which which);
  ~FailingSyncs();
  FailingSyncs(const FailingSyncs&) = delete;
  FailingSyncs& operator=(const FailingSyncs&) = delete;
};

}  // namespace sandtrail::test
