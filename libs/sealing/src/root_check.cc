// SPDX-License-Identifier: Apache-2.0
#include "sealing/root_check.h"

#include <future>

#include "crypto/digest.h"

namespace sandtrail {
namespace {

constexpr std::size_t kCheckChars = 32;

Status put(KeyStore& store, WrappedKey entry) {
  std::promise<Status> answer;
  auto future = answer.get_future();
  store.put(std::move(entry), [&answer](Status status) { answer.set_value(std::move(status)); });
  return future.get();
}

}  // namespace

const DataKeyId& root_check_id() {
  static const DataKeyId id = DataKeyId::derived(sha256("sandtrail root key check entry"));
  return id;
}

std::string root_check_text(const SecretBytes& root) {
  Bytes text = "sandtrail root key check";
  text += root.view();
  const std::string out = hex(sha256(text)).substr(0, kCheckChars);
  wipe(text);
  return out;
}

Error other_root_key(const std::string& key_path) {
  return {ErrorCode::conflict, key_path + " is not the key that this data is under",
          "restore the right one from its backup: with this one nothing can be read"};
}

Result<bool> check_root_key(const std::string& text, const std::string& key_path, KeyStore& store,
                            NoRootCheck missing, const Clock& clock) {
  auto known = store.get(root_check_id());
  const bool none = !known.ok() && known.error().code == ErrorCode::not_found;
  if (none && missing == NoRootCheck::accept) return false;
  if (none && missing == NoRootCheck::lost) {
    return Error{ErrorCode::conflict, "the key store has lost what it held",
                 "restore it: payloads cannot be read without it; only if this is another log on "
                 "purpose, remove root.check from the data directory"};
  }
  if (none) {
    const Status written = put(store, {root_check_id(), OrgId(), clock.now(), text});
    if (!written.ok() && written.error().code != ErrorCode::conflict) return written.error();
    // Another process may have been at it in the same moment.
    known = store.get(root_check_id());
  }
  if (!known.ok()) return known.error();
  if (known->wrapped != text) return other_root_key(key_path);
  return true;
}

}  // namespace sandtrail
