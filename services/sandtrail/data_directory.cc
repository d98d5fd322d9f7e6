// SPDX-License-Identifier: Apache-2.0
#include "data_directory.h"

#include <algorithm>

#include "base/file.h"
#include "json_file.h"
#include "sealing/root_check.h"

namespace sandtrail {
namespace {

constexpr std::size_t kSmallFileBytesMax = 64 * 1024;
constexpr std::size_t kProcessIdChars = 10;

struct ProcessFile {
  std::string id;
  LogPlace log;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("id", s.id);
    v("log", s.log);
  }
};

Result<ProcessFile> read_process_file(const std::string& path) {
  ST_ASSIGN(const Bytes text, read_file(path, kSmallFileBytesMax));
  return parse_json_file<ProcessFile>(path, text, "remove it: the process then gets another name");
}

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

Result<std::string> DataDirectory::process_id(const LogPlace& log, Random& random) const {
  const std::string path = in("process.json");
  auto stored = read_process_file(path);
  if (!stored.ok() && !missing(stored.error())) return stored.error();
  ProcessFile file;
  if (stored.ok()) {
    file = std::move(stored).value();
    if (file.log == log) return file.id;
  } else {
    file.id = crockford(random.bytes(sizeof(IdBytes))).substr(0, kProcessIdChars);
  }
  file.log = log;
  ST_CHECK_OK(write_file_durably(path, json::pretty(to_json(file)) + "\n", 0600));
  return file.id;
}

Result<LogPlace> DataDirectory::noted_log(const std::string& path) {
  ST_ASSIGN(ProcessFile file, read_process_file(path + "/process.json"));
  return std::move(file.log);
}

Status DataDirectory::check_root_key(const SecretBytes& key, const std::string& key_path) const {
  const std::string path = in("root.check");
  const auto known = read_file(path, kSmallFileBytesMax);
  const std::string check = root_check_text(key) + "\n";
  if (known.ok() && *known != check) return other_root_key(key_path);
  if (!known.ok() && !missing(known.error())) return known.error();
  return known.ok() ? Status() : write_file_durably(path, check, 0600);
}

Result<bool> DataDirectory::knows_root_key() const {
  const auto known = read_file(in("root.check"), kSmallFileBytesMax);
  if (!known.ok() && !missing(known.error())) return known.error();
  return known.ok();
}

Status DataDirectory::note_root_key(const std::string& check) const {
  return write_file_durably(in("root.check"), check + "\n", 0600);
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
  // Higher than any before, also if the file was lost, or restored from a backup.
  file.epoch = std::max(file.epoch + 1, clock.now().count / 1000);
  ST_CHECK_OK(write_file_durably(path, json::pretty(to_json(file)) + "\n", 0600));
  return HostIdentity{file.id, file.epoch};
}

}  // namespace sandtrail
