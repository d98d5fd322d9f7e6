// SPDX-License-Identifier: Apache-2.0
// The KeyStore port: wrapped data keys, outside the log and its backups, because destroying one is
// how a payload is erased. Values are wrapped (encrypted) before they get here.
#pragma once

#include <functional>
#include <optional>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "base/time.h"

namespace sandtrail {

struct WrappedKey {
  DataKeyId id;
  OrgId org;
  UnixMs created;
  Bytes wrapped;  // opaque here; 1 to limits::kWrappedKeyBytesMax bytes
  bool operator==(const WrappedKey&) const = default;
};

// invalid_argument unless the key has an id and `wrapped` its length. Every adapter checks it.
Status check_wrapped_key(const WrappedKey& key);

// Thread-safe. `done` is called exactly once, on a thread of the adapter or, if the answer is known
// at once, before the call returns; always outside the store's locks. It may use the store, but
// must be short: other answers wait behind it. More than limits::kKeyStoreQueueMax requests without
// an answer are overloaded.
class KeyStore {
 public:
  virtual ~KeyStore() = default;
  using Done = std::function<void(Status)>;

  // `done` is called once the key is durable. Puts in flight share one sync. An id that exists with
  // other contents is a conflict; the same key again is fine. After a write error the store refuses
  // further puts and destroys until it is opened again, and the key may or may not be there then.
  virtual void put(WrappedKey key, Done done) = 0;
  // not_found if the key never was or is destroyed.
  virtual Result<WrappedKey> get(const DataKeyId& id) const = 0;
  // `done` is called once no file of the store holds the wrapped bytes. Destroying what is not
  // there succeeds (and rewrites all the same: an earlier destroy may have died half-way). Requests
  // that come together share one rewrite. After an error the key reads as not_found, but its bytes
  // may still be in a file: repeat.
  virtual void destroy(const DataKeyId& id, Done done) = 0;
  // Every key, in no order, until `visit` returns false. What is put or destroyed meanwhile may or
  // may not be seen.
  virtual Status list(const std::function<bool(const WrappedKey&)>& visit) const = 0;
  // `destroyed` is called for each key that is destroyed, by whatever process, so that copies can
  // be dropped; on a thread of the adapter. A store that one process has for itself never calls it.
  // Set once, before other calls.
  virtual void watch(std::function<void(const DataKeyId&)> /*destroyed*/) {}
};

}  // namespace sandtrail
