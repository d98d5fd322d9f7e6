// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "base/limits.h"
#include "crypto/aead.h"
#include "sealing/payload.h"
#include "store/memory_key_store.h"
#include "store/memory_object_store.h"

using namespace sandtrail;

namespace {

struct Vault {
  Vault() : Vault(Bytes(kSealKeyBytes, 'r')) {}
  explicit Vault(const Bytes& root) : keyring(SecretBytes(root), store, clock, random) {}
  DataKeyId create(const DataKeyId& parent = {}) {
    DataKeyId id;
    keyring.create(org, parent, [&id](const Result<DataKeyId>& made) {
      REQUIRE(made.ok());
      id = *made;
    });
    REQUIRE(!id.nil());
    return id;
  }
  // Another process with the same root and store.
  Keyring fresh(const Bytes& root = Bytes(kSealKeyBytes, 'r')) {
    return Keyring(SecretBytes(root), store, clock, random);
  }
  ManualClock clock;
  SeededRandom random{3};
  MemoryKeyStore store;
  MemoryObjectStore objects;
  OrgId org = OrgId::fresh(clock, random);
  Keyring keyring;
  Payloads payloads{keyring, objects};
};

const PayloadPurpose kInput{"input", ""};

}  // namespace

TEST_CASE("a key is found again by another process with the same root, and by no other root") {
  Vault vault;
  const DataKeyId parent = vault.create();
  const DataKeyId child = vault.create(parent);
  Keyring again = vault.fresh();
  for (const DataKeyId& id : {parent, child}) {
    const auto first = vault.keyring.get(id);
    const auto second = again.get(id);
    REQUIRE(first.ok());
    REQUIRE(second.ok());
    CHECK(first->view() == second->view());
  }
  Keyring wrong = vault.fresh(Bytes(kSealKeyBytes, 'w'));
  const auto refused = wrong.get(child);
  REQUIRE(!refused.ok());
  CHECK(refused.error().code == ErrorCode::corrupt);
}

TEST_CASE("without its parent a key cannot be opened") {
  Vault vault;
  const DataKeyId parent = vault.create();
  const DataKeyId child = vault.create(parent);
  vault.keyring.destroy(parent, [](const Status& status) { CHECK(status.ok()); });
  const auto gone = vault.fresh().get(child);
  REQUIRE(!gone.ok());
  CHECK(gone.error().code == ErrorCode::not_found);
}

TEST_CASE("a destroyed key is gone at once, and stays gone however the destroy goes") {
  Vault vault;
  const DataKeyId id = vault.create();
  REQUIRE(vault.keyring.get(id).ok());
  vault.store.hold();
  int ended = 0;
  vault.keyring.destroy(id, [&ended](const Status& status) { ended += status.ok() ? 1 : 10; });
  CHECK(ended == 0);
  // The store still has it: reading it now must not bring it back.
  CHECK(vault.keyring.get(id).error().code == ErrorCode::not_found);
  vault.store.release();
  CHECK(ended == 1);
  CHECK(vault.keyring.get(id).error().code == ErrorCode::not_found);

  const DataKeyId other = vault.create();
  vault.store.fail(Error{ErrorCode::internal, "write error", ""});
  vault.keyring.destroy(other, [&ended](const Status& status) { ended += status.ok() ? 1 : 10; });
  CHECK(ended == 11);
  vault.store.fail(std::nullopt);
  CHECK(vault.keyring.get(other).error().code == ErrorCode::not_found);
  vault.keyring.destroy(other, [&ended](const Status& status) { ended += status.ok() ? 1 : 10; });
  CHECK(ended == 12);
  CHECK(vault.fresh().get(other).error().code == ErrorCode::not_found);
}

TEST_CASE("a key that another process destroys goes from here too, cached or not") {
  Vault vault;
  const DataKeyId id = vault.create();
  REQUIRE(vault.keyring.get(id).ok());
  vault.store.destroy_elsewhere(id);
  CHECK(vault.keyring.get(id).error().code == ErrorCode::not_found);
}

TEST_CASE("a key that the store did not take is reported, not handed out") {
  Vault vault;
  vault.store.fail(Error{ErrorCode::unavailable, "away", ""});
  bool failed = false;
  vault.keyring.create(vault.org, {}, [&failed](const Result<DataKeyId>& made) {
    failed = !made.ok() && made.error().code == ErrorCode::unavailable;
  });
  CHECK(failed);
}

TEST_CASE("more keys than the cache holds are all found") {
  Vault vault;
  std::vector<DataKeyId> ids;
  for (std::size_t i = 0; i < Keyring::kCachedKeysMax + 10; ++i) ids.push_back(vault.create());
  for (const DataKeyId& id : {ids.front(), ids[5], ids.back()}) CHECK(vault.keyring.get(id).ok());
}

TEST_CASE("tokens depend on key, purpose and data, and on nothing else") {
  Vault vault;
  const DataKeyId a = vault.create();
  const DataKeyId b = vault.create();
  const auto token = [&](const DataKeyId& id, std::string_view purpose, BytesView data) {
    auto made = vault.keyring.token(id, purpose, data);
    REQUIRE(made.ok());
    return std::move(made).value();
  };
  CHECK(token(a, "thread", "x") == token(a, "thread", "x"));
  CHECK(token(a, "thread", "x") != token(b, "thread", "x"));
  CHECK(token(a, "thread", "x") != token(a, "metadata", "x"));
  CHECK(token(a, "thread", "x") != token(a, "thread", "y"));
}

TEST_CASE("payloads of every size come back, large ones by the object store") {
  Vault vault;
  const DataKeyId key = vault.create();
  std::size_t objects = 0;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, limits::kInlinePayloadBytesMax / 2,
        limits::kInlinePayloadBytesMax, 4 * limits::kInlinePayloadBytesMax}) {
    CAPTURE(size);
    const Bytes content(size, 'x');
    const PayloadPurpose purpose{"input", std::to_string(size)};
    const auto sealed = vault.payloads.seal(key, purpose, content);
    REQUIRE(sealed.ok());
    CHECK(sealed->bytes == static_cast<std::int64_t>(size));
    CHECK(sealed->sealed.bytes.size() <= limits::kInlinePayloadBytesMax);
    if (!sealed->object.empty()) ++objects;
    CHECK(vault.objects.count() == objects);
    const auto opened = vault.payloads.open(purpose, *sealed);
    REQUIRE(opened.ok());
    CHECK(*opened == content);
  }
  CHECK(objects == 2);
}

TEST_CASE("a payload cannot be moved to another field or key, nor changed") {
  Vault vault;
  const DataKeyId key = vault.create();
  const auto sealed = vault.payloads.seal(key, kInput, "secret");
  REQUIRE(sealed.ok());
  CHECK(!vault.payloads.open({"output", ""}, *sealed).ok());
  CHECK(!vault.payloads.open({"input", "1"}, *sealed).ok());
  SealedPayload moved = *sealed;
  moved.key = vault.create();
  CHECK(vault.payloads.open(kInput, moved).error().code == ErrorCode::corrupt);
  SealedPayload changed = *sealed;
  changed.sealed.bytes[20] = static_cast<char>(changed.sealed.bytes[20] ^ 1);
  CHECK(vault.payloads.open(kInput, changed).error().code == ErrorCode::corrupt);
}

TEST_CASE("what is erased is not_found, which is no damage") {
  Vault vault;
  const DataKeyId key = vault.create();
  const auto small = vault.payloads.seal(key, kInput, "secret");
  const PayloadPurpose output{"output", "1"};
  const auto large = vault.payloads.seal(key, output, Bytes(100'000, 'x'));
  REQUIRE(small.ok());
  REQUIRE(large.ok());
  REQUIRE(vault.payloads.remove_objects(key, {kInput, output}).ok());
  CHECK(vault.objects.count() == 0);
  CHECK(vault.payloads.open(output, *large).error().code == ErrorCode::not_found);
  vault.keyring.destroy(key, [](const Status&) {});
  CHECK(vault.payloads.open(kInput, *small).error().code == ErrorCode::not_found);
  CHECK(vault.payloads.open(output, *large).error().code == ErrorCode::not_found);
}
