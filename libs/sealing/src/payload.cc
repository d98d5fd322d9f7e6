// SPDX-License-Identifier: Apache-2.0
#include "sealing/payload.h"

#include "base/limits.h"
#include "crypto/aead.h"
#include "crypto/digest.h"

namespace sandtrail {
namespace {

Bytes payload_aad(const DataKeyId& key, const PayloadPurpose& purpose) {
  return "sandtrail payload " + purpose.text() + Bytes(key.view());
}

std::string object_name(const DataKeyId& key, const PayloadPurpose& purpose) {
  return key.text() + "_" + hex(sha256(purpose.text()).substr(0, 8));
}

}  // namespace

SealedPayload seal_inline(const SecretBytes& key, const DataKeyId& id,
                          const PayloadPurpose& purpose, BytesView plaintext, Random& random) {
  SealedPayload out;
  out.key = id;
  out.bytes = static_cast<std::int64_t>(plaintext.size());
  out.sealed.bytes = seal(key, payload_aad(id, purpose), plaintext, random);
  return out;
}

Result<Bytes> open_inline(const SecretBytes& key, const PayloadPurpose& purpose,
                          const SealedPayload& payload) {
  return open(key, payload_aad(payload.key, purpose), payload.sealed.bytes);
}

Result<SealedPayload> Payloads::seal(const DataKeyId& key, const PayloadPurpose& purpose,
                                     BytesView plaintext) {
  ST_ASSIGN(const SecretBytes secret, keyring_.get(key));
  return store_if_large(seal_inline(secret, key, purpose, plaintext, keyring_.random()), purpose);
}

Result<Bytes> Payloads::open(const PayloadPurpose& purpose, const SealedPayload& payload) {
  ST_ASSIGN(const SecretBytes secret, keyring_.get(payload.key));
  ST_ASSIGN(const SealedPayload loaded, load(payload));
  return open_inline(secret, purpose, loaded);
}

Result<SealedPayload> Payloads::store_if_large(SealedPayload payload,
                                               const PayloadPurpose& purpose) {
  if (payload.sealed.bytes.size() <= limits::kInlinePayloadBytesMax) return payload;
  payload.object = object_name(payload.key, purpose);
  ST_CHECK_OK(objects_.put(payload.object, payload.sealed.bytes));
  payload.sealed.bytes.clear();
  return payload;
}

Result<SealedPayload> Payloads::load(SealedPayload payload) {
  if (payload.object.empty()) return payload;
  ST_ASSIGN(payload.sealed.bytes, objects_.get(payload.object));
  payload.object.clear();
  return payload;
}

Status Payloads::remove_objects(const DataKeyId& key, const std::vector<PayloadPurpose>& purposes) {
  for (const PayloadPurpose& purpose : purposes) {
    ST_CHECK_OK(objects_.remove(object_name(key, purpose)));
  }
  return {};
}

}  // namespace sandtrail
