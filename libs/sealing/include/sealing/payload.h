// SPDX-License-Identifier: Apache-2.0
// Sealing and opening what stands in the log as SealedPayload.
//
// The AAD is "sandtrail payload" + the purpose + the data key's id, so a payload cannot be moved to
// another field. Up to limits::kInlinePayloadBytesMax it stands in the record; a larger one goes to
// the ObjectStore under a name derived from the data key's id and the purpose, durable before the
// record that names it.
#pragma once

#include <string_view>

#include "codec/json.h"
#include "codec/reflect.h"
#include "codec/text.h"
#include "domain/common.h"
#include "sealing/keyring.h"
#include "store/object_store.h"

namespace sandtrail {

// What a payload is for: "input", "output", "webhook_secret", "callback_secret". `name` tells apart
// payloads of one purpose under one key (an endpoint's id, an attempt's number); else "".
struct PayloadPurpose {
  std::string_view purpose;
  std::string name;
  std::string text() const { return std::string(purpose) + "/" + name; }
};

// Pure: inline whatever the size. Hosts use it with the one key they were given.
SealedPayload seal_inline(const SecretBytes& key, const DataKeyId& id,
                          const PayloadPurpose& purpose, BytesView plaintext, Random& random);
Result<Bytes> open_inline(const SecretBytes& key, const PayloadPurpose& purpose,
                          const SealedPayload& payload);

// Thread-safe. Blocks for the ObjectStore when the payload is large.
class Payloads {
 public:
  Payloads(Keyring& keyring, ObjectStore& objects) : keyring_(keyring), objects_(objects) {}

  Result<SealedPayload> seal(const DataKeyId& key, const PayloadPurpose& purpose,
                             BytesView plaintext);
  // not_found: erased. corrupt: not what was sealed.
  Result<Bytes> open(const PayloadPurpose& purpose, const SealedPayload& payload);
  // Moves a large inline payload to the ObjectStore; returns what to put into the record.
  Result<SealedPayload> store_if_large(SealedPayload payload, const PayloadPurpose& purpose);
  // The same payload with its sealed bytes inline, wherever they are.
  Result<SealedPayload> load(SealedPayload payload);
  // Removes what the ObjectStore holds of a data key's payloads.
  Status remove_objects(const DataKeyId& key, const std::vector<PayloadPurpose>& purposes);

  template <typename T>
  Result<SealedPayload> seal_json(const DataKeyId& key, const PayloadPurpose& purpose,
                                  const T& content) {
    Bytes text = to_text(content);
    auto sealed = seal(key, purpose, text);
    wipe(text);
    return sealed;
  }
  template <typename T>
  Result<T> open_json(const PayloadPurpose& purpose, const SealedPayload& payload) {
    ST_ASSIGN(const Bytes text, open(purpose, payload));
    ST_ASSIGN(const json::value parsed, json::parse(text));
    return from_json<T>(parsed);
  }

  Keyring& keyring() { return keyring_; }

 private:
  Keyring& keyring_;
  ObjectStore& objects_;
};

}  // namespace sandtrail
