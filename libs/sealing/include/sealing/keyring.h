// SPDX-License-Identifier: Apache-2.0
// Keys in a tree: the root key (a file or a KMS, in memory here) wraps one key for each
// organisation, which wraps one data key for each execution. Wrapped keys stand in the KeyStore.
//
// A wrapped key is: the wrapping key's id (16 bytes, zero for the root) and the AES-256-GCM seal
// of the key with AAD "sandtrail key" + its id + the organisation's id.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/clock.h"
#include "base/random.h"
#include "crypto/secret.h"
#include "store/key_store.h"

namespace sandtrail {

// Thread-safe. Unwrapped keys are cached, at most kCachedKeysMax; a destroyed one at once not, and
// one that another process destroyed as soon as the store hears of it. One for each store: it sets
// the store's watch().
class Keyring {
 public:
  Keyring(SecretBytes root, KeyStore& store, Clock& clock, Random& random);

  // A new key under `parent` (nil: the root). `done` gets its id once it is durable, on a thread of
  // the store.
  void create(const OrgId& org, const DataKeyId& parent,
              std::function<void(Result<DataKeyId>)> done);
  // not_found if it was destroyed: what it sealed is erased.
  Result<SecretBytes> get(const DataKeyId& id);
  // `done` is called once no file holds it.
  void destroy(const DataKeyId& id, KeyStore::Done done);

  // HMAC-SHA256 of data under a key derived from `id` for `purpose`: what must be found by
  // equality without being readable.
  Result<Bytes> token(const DataKeyId& id, std::string_view purpose, BytesView data);

  KeyStore& store() { return store_; }
  Random& random() { return random_; }

  static constexpr std::size_t kCachedKeysMax = 4096;

 private:
  using Recent = std::list<std::pair<DataKeyId, SecretBytes>>;
  // Shared with callbacks of the store.
  struct Cache {
    std::mutex mutex;
    Recent recent;  // newest first
    std::unordered_map<DataKeyId, Recent::iterator> at;
    std::unordered_set<DataKeyId> doomed;  // being destroyed: the store may still have them
    std::uint64_t destroyed = 0;           // calls so far
    void forget(const DataKeyId& id);      // under the mutex
  };
  std::uint64_t destroyed_so_far() const;
  // Not if a key was destroyed since `destroyed` was read: it may be this one.
  void remember(const DataKeyId& id, const SecretBytes& key, std::uint64_t destroyed);

  SecretBytes root_;
  KeyStore& store_;
  Clock& clock_;
  Random& random_;
  std::shared_ptr<Cache> cache_ = std::make_shared<Cache>();
};

}  // namespace sandtrail
