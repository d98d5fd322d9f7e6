// SPDX-License-Identifier: Apache-2.0
#include "sealing/keyring.h"

#include "crypto/aead.h"
#include "crypto/digest.h"
#include "crypto/hkdf.h"

namespace sandtrail {
namespace {

Bytes key_aad(const DataKeyId& id, const OrgId& org) {
  return "sandtrail key" + Bytes(id.view()) + Bytes(org.view());
}

Error damaged(const DataKeyId& id) {
  return {ErrorCode::corrupt, "the stored key " + id.text() + " cannot be opened",
          "the root key may not be the one it was made with"};
}

}  // namespace

Keyring::Keyring(SecretBytes root, KeyStore& store, Clock& clock, Random& random)
    : root_(std::move(root)), store_(store), clock_(clock), random_(random) {
  ST_ASSERT(root_.size() == kSealKeyBytes);
  // Another process destroyed it: its copy here goes as well.
  store_.watch([cache = cache_](const DataKeyId& id) {
    const std::lock_guard lock(cache->mutex);
    ++cache->destroyed;
    cache->forget(id);
  });
}

void Keyring::Cache::forget(const DataKeyId& id) {
  const auto found = at.find(id);
  if (found == at.end()) return;
  recent.erase(found->second);
  at.erase(found);
}

void Keyring::create(const OrgId& org, const DataKeyId& parent,
                     std::function<void(Result<DataKeyId>)> done) {
  SecretBytes wrapping;
  if (parent.nil()) {
    wrapping = root_.clone();
  } else {
    auto found = get(parent);
    if (!found.ok()) return done(found.error());
    wrapping = std::move(found).value();
  }
  const auto id = DataKeyId::fresh(clock_, random_);
  const auto key = SecretBytes::random(kSealKeyBytes, random_);
  WrappedKey stored;
  stored.id = id;
  stored.org = org;
  stored.created = clock_.now();
  stored.wrapped = Bytes(parent.view()) + seal(wrapping, key_aad(id, org), key.view(), random_);
  remember(id, key, destroyed_so_far());
  store_.put(std::move(stored), [id, done = std::move(done)](const Status& status) {
    if (status.ok()) {
      done(id);
    } else {
      done(status.error());
    }
  });
}

Result<SecretBytes> Keyring::get(const DataKeyId& id) {
  std::uint64_t destroyed = 0;
  {
    Cache& cache = *cache_;
    const std::lock_guard lock(cache.mutex);
    if (cache.doomed.contains(id)) {
      return Error{ErrorCode::not_found, "the key " + id.text() + " is destroyed", ""};
    }
    if (const auto found = cache.at.find(id); found != cache.at.end()) {
      cache.recent.splice(cache.recent.begin(), cache.recent, found->second);
      return found->second->second.clone();
    }
    destroyed = cache.destroyed;
  }
  ST_ASSIGN(const WrappedKey stored, store_.get(id));
  if (stored.wrapped.size() < 16) return damaged(id);
  const auto parent = DataKeyId::derived(stored.wrapped);
  SecretBytes wrapping;
  if (parent.nil()) {
    wrapping = root_.clone();
  } else {
    ST_ASSIGN(wrapping, get(parent));
  }
  auto opened = open(wrapping, key_aad(id, stored.org), BytesView(stored.wrapped).substr(16));
  if (!opened.ok()) return damaged(id);
  Bytes plain = std::move(opened).value();
  SecretBytes key = SecretBytes::take(plain);
  remember(id, key, destroyed);
  return key;
}

std::uint64_t Keyring::destroyed_so_far() const {
  const std::lock_guard lock(cache_->mutex);
  return cache_->destroyed;
}

void Keyring::remember(const DataKeyId& id, const SecretBytes& key, std::uint64_t destroyed) {
  Cache& cache = *cache_;
  const std::lock_guard lock(cache.mutex);
  if (cache.destroyed != destroyed || cache.at.contains(id)) return;
  cache.recent.emplace_front(id, key.clone());
  cache.at[id] = cache.recent.begin();
  if (cache.recent.size() > kCachedKeysMax) {
    cache.at.erase(cache.recent.back().first);
    cache.recent.pop_back();
  }
}

void Keyring::destroy(const DataKeyId& id, KeyStore::Done done) {
  {
    Cache& cache = *cache_;
    const std::lock_guard lock(cache.mutex);
    cache.doomed.insert(id);
    ++cache.destroyed;
    cache.forget(id);
  }
  store_.destroy(id, [cache = cache_, id, done = std::move(done)](const Status& status) {
    if (status.ok()) {
      const std::lock_guard lock(cache->mutex);
      cache->doomed.erase(id);
    }
    done(status);
  });
}

Result<Bytes> Keyring::token(const DataKeyId& id, std::string_view purpose, BytesView data) {
  ST_ASSIGN(const SecretBytes key, get(id));
  const SecretBytes derived = hkdf_sha256(key, "", "sandtrail token " + Bytes(purpose), 32);
  return hmac_sha256(derived.view(), data);
}

}  // namespace sandtrail
