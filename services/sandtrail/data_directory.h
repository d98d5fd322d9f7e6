// SPDX-License-Identifier: Apache-2.0
// The files of one server, besides those that its stores keep:
//
//   root.key         0600  32 bytes in hex: wraps every other key; without it nothing can be read
//   root.check       0600  a digest of it, so that another root key is refused at the start
//   audit.key        0600  the note key that signs checkpoints (PRIVATE+KEY+ form)
//   audit.vkey       0644  its public half, for verifiers
//   host.json        0600  id of this host, and the epoch of its last start
//   dev.json         0600  what `sandtrail dev` made for its user: URL, key, callback secret
//   operator.sock    0600  where operator verbs go
//   log/ store/ keys/ objects/
#pragma once

#include <string>

#include "base/clock.h"
#include "base/id.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/note.h"
#include "crypto/secret.h"

namespace sandtrail {

struct HostIdentity {
  HostId id;
  std::int64_t epoch = 0;  // of this start
};

class DataDirectory {
 public:
  // Makes the directory with mode 0700 if need be.
  static Result<DataDirectory> open(std::string path);

  std::string in(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

  // Each is made at first use and then stays; a root key only if the data directory is `fresh`: it
  // must not take the place of one that was lost, and so must no audit key whose public half
  // stands.
  Result<SecretBytes> root_key(bool fresh, Random& random) const;
  Result<NoteSigner> audit_signer(const std::string& origin, Random& random) const;
  // Counts this start, durably, before anything can be launched under the new epoch.
  Result<HostIdentity> next_host_identity(const Clock& clock, Random& random) const;

 private:
  explicit DataDirectory(std::string path) : path_(std::move(path)) {}
  Result<SecretBytes> stored_root_key(bool fresh, Random& random) const;
  Status publish(const NoteSigner& signer) const;
  std::string path_;
};

}  // namespace sandtrail
