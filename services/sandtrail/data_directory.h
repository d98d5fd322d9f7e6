// SPDX-License-Identifier: Apache-2.0
// The files of one process, besides those that its stores keep:
//
//   process.json     0600  what tells this process from others of its roles, and where its log is,
//                          so that verbs that are given the directory find the log
//   host.json        0600  id of this host, and the epoch of its last start
//   root.check       0600  embedded: a digest of the root key, so that another one is refused
//   dev.json         0600  what `sandtrail dev` made for its user: URL, key, callback secret
//   loss.json        0600  while `sandtrail log accept-loss` is at work (loss.h)
//   operator.sock    0600  where operator verbs go
//   store/           and, embedded, log/ keys/
//
// `sandtrail dev` keeps root.key, audit.key, audit.vkey (key_files.h) and objects/ here as well;
// processes of a cluster share them, in the data_dir of their settings.
#pragma once

#include <map>
#include <string>

#include "base/clock.h"
#include "base/id.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/secret.h"

namespace sandtrail {

struct HostIdentity {
  HostId id;
  std::int64_t epoch = 0;  // of this start
};

// How to reach a log. Secrets are not in it, only their files.
struct LogPlace {
  std::string url;
  std::string topic_prefix;
  std::map<std::string, std::string> kafka;
  bool operator==(const LogPlace&) const = default;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("url", s.url);
    v.with_default("topic_prefix", s.topic_prefix);
    v.with_default("kafka", s.kafka);
  }
};

class DataDirectory {
 public:
  // Makes the directory with mode 0700 if need be.
  static Result<DataDirectory> open(std::string path);

  std::string in(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

  // Made at the first start; ten characters. Notes where the log is.
  Result<std::string> process_id(const LogPlace& log, Random& random) const;
  // What a process has noted; not_found if none ever had this directory.
  static Result<LogPlace> noted_log(const std::string& path);
  // Keeps what tells root keys apart, or compares with what was kept.
  Status check_root_key(const SecretBytes& key, const std::string& key_path) const;
  // The same in two steps: whether something was kept, and keeping it.
  Result<bool> knows_root_key() const;
  Status note_root_key(const std::string& check) const;
  // Counts this start, durably, before anything can be launched under the new epoch.
  Result<HostIdentity> next_host_identity(const Clock& clock, Random& random) const;

 private:
  explicit DataDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace sandtrail
