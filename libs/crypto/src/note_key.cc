// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "crypto/digest.h"
#include "crypto/note.h"
#include "note_text.h"

namespace sandtrail {
namespace {

constexpr std::string_view kPrivatePrefix = "PRIVATE+KEY+";

// Unicode 15 White_Space above ASCII, as UTF-8. ASCII's are control characters and U+0020.
constexpr std::array<std::string_view, 19> kSpaces = {
    "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
    "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
    "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
    "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

Error bad_key(std::string_view what) {
  return {ErrorCode::invalid_argument, std::string(what), ""};
}

Bytes typed(NoteKeyType type, BytesView key) {
  Bytes out(1, static_cast<char>(type));
  out += key;
  return out;
}

}  // namespace

bool is_note_content(std::string_view text) {
  return is_utf8(text) && std::all_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) >= 0x20 || c == '\n';
         });
}

bool is_note_name(std::string_view name) {
  if (name.empty() || !is_note_content(name)) return false;
  if (name.find_first_of(" \n+") != std::string_view::npos) return false;
  return std::none_of(kSpaces.begin(), kSpaces.end(), [name](std::string_view space) {
    return name.find(space) != std::string_view::npos;
  });
}

std::uint32_t note_key_id(std::string_view name, NoteKeyType type, BytesView public_key) {
  return get_be32(sha256_of({name, "\n", typed(type, public_key)}));
}

std::string join_note_key(std::string_view name, std::uint32_t key_id, BytesView material) {
  Bytes id;
  put_be32(id, key_id);
  std::string out(name);
  out += '+';
  out += hex(id);
  out += '+';
  out += base64(material);
  return out;
}

Result<NoteKeyParts> split_note_key(std::string_view text) {
  const std::size_t first = text.find('+');
  if (first == std::string_view::npos) return bad_key("malformed note key");
  const std::size_t second = text.find('+', first + 1);
  if (second == std::string_view::npos) return bad_key("malformed note key");
  const auto id = unhex(text.substr(first + 1, second - first - 1));
  auto material = unbase64(text.substr(second + 1));
  NoteKeyParts parts;
  parts.name = text.substr(0, first);
  if (!id || id->size() != 4 || !material || material->empty() || !is_note_name(parts.name)) {
    return bad_key("malformed note key");
  }
  parts.key_id = get_be32(*id);
  parts.material = std::move(*material);
  if (static_cast<NoteKeyType>(parts.material[0]) != NoteKeyType::ed25519) {
    wipe(parts.material);
    return bad_key("note key of an unsupported type: only 0x01 (Ed25519) is known");
  }
  return parts;
}

NoteVerifier::NoteVerifier(std::string name, Bytes public_key)
    : name_(std::move(name)),
      public_key_(std::move(public_key)),
      key_id_(note_key_id(name_, NoteKeyType::ed25519, public_key_)) {}

Result<NoteVerifier> NoteVerifier::create(std::string name, Bytes ed25519_public_key) {
  if (!is_note_name(name)) return bad_key("a note key's name has no spaces and no +");
  if (ed25519_public_key.size() != kEd25519PublicKeyBytes) {
    return bad_key("an Ed25519 public key has 32 bytes");
  }
  return NoteVerifier(std::move(name), std::move(ed25519_public_key));
}

Result<NoteVerifier> NoteVerifier::parse(std::string_view vkey) {
  ST_ASSIGN(NoteKeyParts parts, split_note_key(vkey));
  ST_ASSIGN(NoteVerifier verifier, create(parts.name, parts.material.substr(1)));
  if (verifier.key_id() != parts.key_id) return bad_key("a note key's id is not that of its key");
  return verifier;
}

std::string NoteVerifier::text() const {
  return join_note_key(name_, key_id_, typed(type(), public_key_));
}

bool NoteVerifier::verify(BytesView text, BytesView signature) const {
  return ed25519_verify(public_key_, text, signature);
}

NoteSigner::NoteSigner(NoteVerifier verifier, Ed25519Key key)
    : verifier_(std::move(verifier)), key_(std::move(key)) {}

Result<NoteSigner> NoteSigner::create(std::string name, const SecretBytes& seed) {
  ST_ASSIGN(Ed25519Key key, Ed25519Key::from_seed(seed));
  ST_ASSIGN(NoteVerifier verifier, NoteVerifier::create(std::move(name), key.public_key()));
  return NoteSigner(std::move(verifier), std::move(key));
}

Result<NoteSigner> NoteSigner::parse(std::string_view private_text) {
  if (!private_text.starts_with(kPrivatePrefix)) return bad_key("not a private note key");
  ST_ASSIGN(NoteKeyParts parts, split_note_key(private_text.substr(kPrivatePrefix.size())));
  const SecretBytes seed{BytesView(parts.material).substr(1)};
  wipe(parts.material);
  ST_ASSIGN(NoteSigner signer, create(parts.name, seed));
  if (signer.verifier().key_id() != parts.key_id) {
    return bad_key("a private note key's id is not that of its key");
  }
  return signer;
}

Result<SecretBytes> note_private_text(std::string_view name, const SecretBytes& seed) {
  ST_ASSIGN(const NoteSigner signer, NoteSigner::create(std::string(name), seed));
  Bytes material = typed(NoteKeyType::ed25519, seed.view());
  std::string body = join_note_key(name, signer.verifier().key_id(), material);
  std::string text = std::string(kPrivatePrefix) + body;
  wipe(material);
  wipe(body);
  return SecretBytes::take(text);
}

}  // namespace sandtrail
