// SPDX-License-Identifier: Apache-2.0
#include "rebuilt_store.h"

#include <filesystem>

#include "base/file.h"
#include "obs/log.h"

namespace sandtrail {
namespace {

namespace fs = std::filesystem;

struct Places {
  explicit Places(const std::string& directory)
      : current(directory + "/store"),
        fresh(directory + "/store.new"),
        old(directory + "/store.old") {}
  const std::string current, fresh, old;
};

bool there(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Status remove_all(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  return error ? Status(errno_error("cannot remove " + path, error.value())) : Status();
}

Status move(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (!error) return {};
  return errno_error("cannot rename " + from + " to " + to, error.value());
}

}  // namespace

Status offer_rebuilt_store(const std::string& data_directory, const std::string& store) {
  const Places places(data_directory);
  ST_CHECK_OK(remove_all(places.fresh));
  ST_CHECK_OK(move(store, places.fresh));
  return sync_directory(data_directory);
}

Status take_rebuilt_store(const std::string& data_directory) {
  const Places places(data_directory);
  if (there(places.fresh)) {
    if (there(places.current)) {
      ST_CHECK_OK(remove_all(places.old));
      ST_CHECK_OK(move(places.current, places.old));
      ST_CHECK_OK(sync_directory(data_directory));
    }
    ST_CHECK_OK(move(places.fresh, places.current));
    ST_CHECK_OK(sync_directory(data_directory));
    log_info("the rebuilt store is in place", {{"store", places.current}});
  }
  return there(places.current) ? remove_all(places.old) : Status();
}

}  // namespace sandtrail
