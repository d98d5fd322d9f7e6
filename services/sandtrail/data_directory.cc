// SPDX-License-Identifier: Apache-2.0
#include "data_directory.h"

#include "base/file.h"
#include "json_file.h"
#include "sealing/root_check.h"

namespace sandtrail {
namespace {

constexpr std::size_t kSmallFileBytesMax = 64 * 1024;
constexpr std::size_t kProcessIdChars = 10;

struct ProcessFile {
  std::string id;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("id", s.id);
  }
};

struct HostFile {
  HostId id;
  std::int64_t epoch = 0;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("id", s.id);
    v("epoch", s.epoch);
  }
};

bool missing(const Error& error) {
  return error.code == ErrorCode::not_found;
}

}  // namespace

Result<DataDirectory> DataDirectory::open(std::string path) {
  ST_CHECK_OK(make_directories(path, 0700));
  return DataDirectory(std::move(path));
}

Result<std::string> DataDirectory::process_id(Random& random) const {
  const std::string path = in("process.json");
  const auto stored = read_file(path, kSmallFileBytesMax);
  ProcessFile file;
  if (stored.ok()) {
    ST_ASSIGN(file, parse_json_file<ProcessFile>(path, *stored,
                                                 "remove it: the process then gets another name"));
    return file.id;
  }
  if (!missing(stored.error())) return stored.error();
  file.id = crockford(random.bytes(sizeof(IdBytes))).substr(0, kProcessIdChars);
  ST_CHECK_OK(write_file_durably(path, json::pretty(to_json(file)) + "\n", 0600));
  return file.id;
}

Status DataDirectory::check_root_key(const SecretBytes& key, const std::string& key_path) const {
  const std::string path = in("root.check");
  const auto known = read_file(path, kSmallFileBytesMax);
  const std::string check = root_check_text(key) + "\n";
  if (known.ok() && *known != check) return other_root_key(key_path);
  if (!known.ok() && !missing(known.error())) return known.error();
  return known.ok() ? Status() : write_file_durably(path, check, 0600);
}

Result<HostIdentity> DataDirectory::next_host_identity(const Clock& clock, Random& random) const {
  const std::string path = in("host.json");
  HostFile file;
  const auto stored = read_file(path, kSmallFileBytesMax);
  if (stored.ok()) {
    ST_ASSIGN(file, parse_json_file<HostFile>(
                        path, *stored,
                        "restore it from a backup, or remove it: the host then gets another name"));
  } else if (missing(stored.error())) {
    file.id = HostId::fresh(clock, random);
  } else {
    return stored.error();
  }
  ++file.epoch;
  ST_CHECK_OK(write_file_durably(path, json::pretty(to_json(file)) + "\n", 0600));
  return HostIdentity{file.id, file.epoch};
}

}  // namespace sandtrail
