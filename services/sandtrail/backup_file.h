// SPDX-License-Identifier: Apache-2.0
// The directory of a backup. `backup.json` is written last: without it, nothing there is a backup.
//
// Of the log (kind "log"):
//   backup.json   what it holds, with digests
//   log/          an embedded log
//   store/        what was folded from it: never ahead of it
//   objects/      large sealed payloads, as below the data directory
//   files/        process.json, host.json, root.check, audit.vkey, as far as there are any
// Of the data keys (kind "keys"), which is another one with its own, short life:
//   backup.json
//   keys/         the key store: keys wrapped under the root key
//
// The root key and the private audit key are in none of them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/reflect.h"

namespace sandtrail {

inline constexpr const char* kBackupOfLog = "log";
inline constexpr const char* kBackupOfKeys = "keys";

struct BackupFile {
  struct Part {
    std::string topic;
    std::int64_t partition = 0;
    std::int64_t low = 0;
    std::int64_t high = 0;
    template <typename Self, typename V>
    static void fields(Self& s, V& v) {
      v("topic", s.topic);
      v("partition", s.partition);
      v("low", s.low);
      v("high", s.high);
    }
  };
  std::int64_t format = 1;
  std::string kind;
  UnixMs made;
  // --- of the log ---
  std::string identity;
  std::vector<Part> parts;
  std::string store_digest;  // hex; store/digest.h over all rows
  std::int64_t objects = 0;
  std::int64_t object_bytes = 0;
  std::string objects_digest;
  std::map<std::string, std::string> files;  // name to SHA-256, hex
  // --- of the keys ---
  std::int64_t keys = 0;
  std::string keys_digest;

  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("format", s.format);
    v("kind", s.kind);
    v("made", s.made);
    v.with_default("identity", s.identity);
    v("parts", s.parts);
    v.with_default("store_digest", s.store_digest);
    v.with_default("objects", s.objects);
    v.with_default("object_bytes", s.object_bytes);
    v.with_default("objects_digest", s.objects_digest);
    v("files", s.files);
    v.with_default("keys", s.keys);
    v.with_default("keys_digest", s.keys_digest);
  }
};

// conflict: there is none in the directory, or it was not finished.
Result<BackupFile> read_backup_file(const std::string& directory);
// Durable on return, with everything that stands in the directory itself.
Status write_backup_file(const std::string& directory, const BackupFile& file);

// Makes the directory with mode 0700; conflict if there is something in it.
Status make_empty_directory(const std::string& path);

}  // namespace sandtrail
