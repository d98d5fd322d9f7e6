// SPDX-License-Identifier: Apache-2.0
#include "data_directory.h"

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "crypto/aead.h"
#include "crypto/digest.h"
#include "crypto/ed25519.h"
#include "json_file.h"

namespace sandtrail {
namespace {

constexpr std::size_t kSmallFileBytesMax = 64 * 1024;

struct HostFile {
  HostId id;
  std::int64_t epoch = 0;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("id", s.id);
    v("epoch", s.epoch);
  }
};

// Tells root keys apart without telling anything of them.
std::string check_value(const SecretBytes& key) {
  return hex(sha256("sandtrail root key check" + Bytes(key.view()))).substr(0, 32) + "\n";
}

bool missing(const Error& error) {
  return error.code == ErrorCode::not_found;
}

}  // namespace

Result<DataDirectory> DataDirectory::open(std::string path) {
  ST_CHECK_OK(make_directories(path, 0700));
  return DataDirectory(std::move(path));
}

Result<SecretBytes> DataDirectory::root_key(bool fresh, Random& random) const {
  ST_ASSIGN(SecretBytes key, stored_root_key(fresh, random));
  const std::string path = in("root.check");
  const auto known = read_file(path, kSmallFileBytesMax);
  if (known.ok() && *known != check_value(key)) {
    return Error{ErrorCode::conflict, in("root.key") + " is not the key that this data is under",
                 "restore the right one from its backup: with this one nothing can be read"};
  }
  if (!known.ok() && !missing(known.error())) return known.error();
  if (!known.ok()) ST_CHECK_OK(write_file_durably(path, check_value(key), 0600));
  return key;
}

Result<SecretBytes> DataDirectory::stored_root_key(bool fresh, Random& random) const {
  const std::string path = in("root.key");
  auto stored = read_secret_file(path, kSmallFileBytesMax);
  if (stored.ok()) {
    Bytes text = std::move(stored).value();
    if (text.ends_with('\n')) text.pop_back();
    auto raw = unhex(text);
    wipe(text);
    if (!raw || raw->size() != kSealKeyBytes) {
      return Error{ErrorCode::corrupt, path + " does not hold 32 bytes in hex",
                   "restore it from its backup: nothing can be read without it"};
    }
    return SecretBytes::take(*raw);
  }
  if (!missing(stored.error())) return stored.error();
  if (!fresh) {
    return Error{ErrorCode::not_found, path + " is gone, but there is data under it",
                 "restore it from its backup: nothing can be read without it"};
  }
  SecretBytes key = SecretBytes::random(kSealKeyBytes, random);
  Bytes text = hex(key.view()) + "\n";
  const Status written = write_file_durably(path, text, 0600);
  wipe(text);
  ST_CHECK_OK(written);
  return key;
}

Result<NoteSigner> DataDirectory::audit_signer(const std::string& origin, Random& random) const {
  const std::string path = in("audit.key");
  auto stored = read_secret_file(path, kSmallFileBytesMax);
  if (stored.ok()) {
    Bytes text = std::move(stored).value();
    if (text.ends_with('\n')) text.pop_back();
    auto signer = NoteSigner::parse(text);
    wipe(text);
    if (signer.ok() && signer->verifier().name() != origin) {
      return Error{ErrorCode::conflict,
                   path + " is the key of " + signer->verifier().name() + ", not of " + origin,
                   "set audit.origin back, or move the key away to begin another audit identity"};
    }
    if (signer.ok()) ST_CHECK_OK(publish(*signer));
    return signer;
  }
  if (!missing(stored.error())) return stored.error();
  std::error_code ignored;
  if (std::filesystem::exists(in("audit.vkey"), ignored)) {
    return Error{ErrorCode::not_found, path + " is gone, which signs the checkpoints",
                 "restore it from its backup, or move audit.vkey away too to begin another audit "
                 "identity"};
  }
  const SecretBytes seed = SecretBytes::random(32, random);
  ST_ASSIGN(NoteSigner signer, NoteSigner::create(origin, seed));
  ST_ASSIGN(const SecretBytes text, note_private_text(origin, seed));
  ST_CHECK_OK(write_file_durably(path, text.view(), 0600));
  ST_CHECK_OK(publish(signer));
  return signer;
}

Status DataDirectory::publish(const NoteSigner& signer) const {
  const std::string text = signer.verifier().text() + "\n";
  const auto stored = read_file(in("audit.vkey"), kSmallFileBytesMax);
  if (stored.ok() && *stored == text) return {};
  return write_file_durably(in("audit.vkey"), text, 0644);
}

Result<HostIdentity> DataDirectory::next_host_identity(const Clock& clock, Random& random) const {
  const std::string path = in("host.json");
  HostFile file;
  const auto stored = read_file(path, kSmallFileBytesMax);
  if (stored.ok()) {
    ST_ASSIGN(file, parse_json_file<HostFile>(
                        path, *stored,
                        "restore it from a backup, or remove it: the host then gets another name"));
  } else if (missing(stored.error())) {
    file.id = HostId::fresh(clock, random);
  } else {
    return stored.error();
  }
  // Higher than any before, also if the file was lost, or restored from a backup.
  file.epoch = std::max(file.epoch + 1, clock.now().count / 1000);
  ST_CHECK_OK(write_file_durably(path, json::pretty(to_json(file)) + "\n", 0600));
  return HostIdentity{file.id, file.epoch};
}

}  // namespace sandtrail
