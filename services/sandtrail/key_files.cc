// SPDX-License-Identifier: Apache-2.0
#include "key_files.h"

#include <filesystem>

#include "base/file.h"
#include "crypto/aead.h"

namespace sandtrail {
namespace {

constexpr std::size_t kKeyFileBytesMax = 64 * 1024;

Error shared_key_missing(const std::string& path) {
  return {ErrorCode::not_found, path + " does not exist, and all processes must have the same one",
          "make it once with `sandtrail init`, then give a copy to each machine"};
}

Result<SecretBytes> parse_root_key(const std::string& path, Bytes text) {
  if (text.ends_with('\n')) text.pop_back();
  auto raw = unhex(text);
  wipe(text);
  if (!raw || raw->size() != kSealKeyBytes) {
    return Error{ErrorCode::corrupt, path + " does not hold 32 bytes in hex",
                 "restore it from its backup: nothing can be read without it"};
  }
  return SecretBytes::take(*raw);
}

Status publish(const NoteSigner& signer, const std::string& path) {
  const std::string text = signer.verifier().text() + "\n";
  const auto stored = read_file(path, kKeyFileBytesMax);
  if (stored.ok() && *stored == text) return {};
  return write_file_durably(path, text, 0644);
}

// One that another process made in this moment is not replaced; who asks again gets that one.
Error made_elsewhere(Error error) {
  if (error.code == ErrorCode::conflict) error.hint = "another process made it: start again";
  return error;
}

Result<NoteSigner> make_audit_key(const std::string& path, const std::string& origin,
                                  Random& random) {
  const SecretBytes seed = SecretBytes::random(32, random);
  ST_ASSIGN(NoteSigner signer, NoteSigner::create(origin, seed));
  ST_ASSIGN(const SecretBytes text, note_private_text(origin, seed));
  const Status written = create_file_durably(path, text.view(), 0600);
  if (!written.ok()) return made_elsewhere(written.error());
  return signer;
}

}  // namespace

Result<SecretBytes> open_root_key(const std::string& path, MissingKey missing, Random& random) {
  auto stored = read_secret_file(path, kKeyFileBytesMax);
  if (stored.ok()) return parse_root_key(path, std::move(stored).value());
  if (stored.error().code != ErrorCode::not_found) return stored.error();
  if (missing == MissingKey::shared) return shared_key_missing(path);
  if (missing == MissingKey::lost) {
    return Error{ErrorCode::not_found, path + " is gone, but there is data under it",
                 "restore it from its backup: nothing can be read without it"};
  }
  SecretBytes key = SecretBytes::random(kSealKeyBytes, random);
  Bytes text = hex(key.view()) + "\n";
  const Status written = create_file_durably(path, text, 0600);
  wipe(text);
  if (!written.ok()) return made_elsewhere(written.error());
  return key;
}

Result<NoteSigner> open_audit_key(const std::string& path, const std::string& origin,
                                  MissingKey missing, Random& random) {
  auto stored = read_secret_file(path, kKeyFileBytesMax);
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
    if (signer.ok()) ST_CHECK_OK(publish(*signer, public_half_of(path)));
    return signer;
  }
  if (stored.error().code != ErrorCode::not_found) return stored.error();
  if (missing == MissingKey::shared) return shared_key_missing(path);
  std::error_code ignored;
  if (std::filesystem::exists(public_half_of(path), ignored)) {
    return Error{ErrorCode::not_found, path + " is gone, which signs the checkpoints",
                 "restore it from its backup, or move audit.vkey away too to begin another audit "
                 "identity"};
  }
  ST_ASSIGN(NoteSigner signer, make_audit_key(path, origin, random));
  ST_CHECK_OK(publish(signer, public_half_of(path)));
  return signer;
}

std::string public_half_of(const std::string& audit_key_path) {
  constexpr std::string_view kEnd = ".key";
  std::string stem = audit_key_path;
  if (stem.ends_with(kEnd)) stem.resize(stem.size() - kEnd.size());
  return stem + ".vkey";
}

}  // namespace sandtrail
