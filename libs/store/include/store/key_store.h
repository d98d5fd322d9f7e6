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
  Bytes wrapped;  // opaque here
};

// Thread-safe. Callbacks run on a thread of the adapter.
class KeyStore {
 public:
  virtual ~KeyStore() = default;
  using Done = std::function<void(Status)>;

  // `done` is called once the key is durable. Puts in flight share one sync. An id that exists with
  // other bytes is a conflict.
  virtual void put(WrappedKey key, Done done) = 0;
  // not_found if the key never was or is destroyed.
  virtual Result<WrappedKey> get(const DataKeyId& id) const = 0;
  // `done` is called once no file of the store holds the wrapped bytes. Destroying what is not
  // there succeeds. Requests that come together share one rewrite.
  virtual void destroy(const DataKeyId& id, Done done) = 0;
  // Every key, in no order, until `visit` returns false.
  virtual Status list(const std::function<bool(const WrappedKey&)>& visit) const = 0;
};

}  // namespace sandtrail
