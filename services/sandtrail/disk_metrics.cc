// SPDX-License-Identifier: Apache-2.0
#include "disk_metrics.h"

#include <filesystem>

#include "base/file.h"

namespace sandtrail {
namespace {

namespace fs = std::filesystem;

// Files come and go while it is counted: what cannot be looked at counts for nothing.
std::uint64_t bytes_below(const std::string& directory) {
  std::uint64_t sum = 0;
  std::error_code error;
  for (auto at = fs::recursive_directory_iterator(directory, error);
       !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    std::error_code ignored;
    const auto size = at->file_size(ignored);
    if (!ignored) sum += size;
  }
  return sum;
}

}  // namespace

void set_disk_metrics(Metrics& metrics, const std::string& directory, std::uint64_t reserve_bytes) {
  // Objects are left out: they may be too many to be counted each time.
  for (const char* part : {"log", "store", "keys"}) {
    const std::string path = directory + "/" + part;
    std::error_code ignored;
    if (!fs::exists(path, ignored)) continue;
    metrics.gauge("disk_bytes", "Bytes of the process's files.", {{"part", part}})
        .set(static_cast<double>(bytes_below(path)));
  }
  metrics.gauge("disk_free_bytes", "Free bytes on the disk of the data directory.")
      .set(static_cast<double>(free_bytes(directory)));
  metrics.gauge("disk_reserve_bytes", "With less free than that appends are refused.")
      .set(static_cast<double>(reserve_bytes));
}

}  // namespace sandtrail
