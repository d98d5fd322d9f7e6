// SPDX-License-Identifier: Apache-2.0
// Signed notes (C2SP signed-note v1.0.0) and checkpoints (C2SP tlog-checkpoint v1.0.0).
//
//   note       = text "\n" signature-line+            text ends with "\n"; UTF-8, no other control
//   line       = "— " name " " base64(key id[4, big endian] ‖ signature) "\n"
//   key id     = first 4 bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key)
//   vkey       = name "+" hex(key id) "+" base64(type ‖ public key)
//   private    = "PRIVATE+KEY+" name "+" hex(key id) "+" base64(type ‖ seed)     (Go's x/mod)
//   checkpoint = origin "\n" size "\n" base64(root) "\n" (extension "\n")*
//
// The signature covers the text with its last "\n", not the empty line. The only key type so far is
// 0x01, Ed25519. Names are not empty and have no Unicode space and no "+".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/ed25519.h"
#include "crypto/secret.h"

namespace sandtrail {

enum class NoteKeyType : unsigned char { ed25519 = 0x01 };

// A public key with its name: what we publish and what verifiers trust.
class NoteVerifier {
 public:
  // invalid_argument on a bad name or key length.
  static Result<NoteVerifier> create(std::string name, Bytes ed25519_public_key);
  // A vkey, exact form only; invalid_argument if it is malformed, of another type, or its key id is
  // not that of its key.
  static Result<NoteVerifier> parse(std::string_view vkey);

  std::string text() const;  // the vkey
  const std::string& name() const { return name_; }
  std::uint32_t key_id() const { return key_id_; }
  NoteKeyType type() const { return NoteKeyType::ed25519; }
  bool verify(BytesView text, BytesView signature) const;

 private:
  NoteVerifier(std::string name, Bytes public_key);

  std::string name_;
  Bytes public_key_;
  std::uint32_t key_id_ = 0;
};

// A private key with its name. const methods are thread-safe.
class NoteSigner {
 public:
  // invalid_argument on a bad name or seed length.
  static Result<NoteSigner> create(std::string name, const SecretBytes& seed);
  // The PRIVATE+KEY+ form, strict as NoteVerifier::parse. The error never repeats the text.
  static Result<NoteSigner> parse(std::string_view private_text);

  const NoteVerifier& verifier() const { return verifier_; }
  Bytes sign(BytesView text) const { return key_.sign(text); }

 private:
  NoteSigner(NoteVerifier verifier, Ed25519Key key);

  NoteVerifier verifier_;
  Ed25519Key key_;
};

// The PRIVATE+KEY+ form of a key, for a key file. invalid_argument as NoteSigner::create.
Result<SecretBytes> note_private_text(std::string_view name, const SecretBytes& seed);

struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  Bytes signature;
  bool operator==(const NoteSignature&) const = default;
};

struct Note {
  std::string text;                       // ends with "\n"
  std::vector<NoteSignature> verified;    // one for each known key that signed, in their order
  std::vector<NoteSignature> unverified;  // of keys not given
};

// The note over `text` by all `signers`, in their order (several: key rotation). invalid_argument
// if the text is not one a note can hold, or there are no signers.
Result<std::string> sign_note(std::string_view text, const std::vector<const NoteSigner*>& signers);

// Reads a note and checks it. Unknown (name, key id) pairs are ignored.
//   invalid_argument  not a note, or longer than limits::kNoteBytesMax
//   corrupt           a signature by one of `known` is wrong
//   denied            none of `known` signed it
Result<Note> open_note(std::string_view note, const std::vector<NoteVerifier>& known);

// The signed statement of a log: its first `size` entries have this root.
struct Checkpoint {
  std::string origin;  // the log's name: a URL without schema
  std::uint64_t size = 0;
  Bytes root;                           // 32 bytes
  std::vector<std::string> extensions;  // opaque lines; we write none, others may
  bool operator==(const Checkpoint&) const = default;
};

// The note text. invalid_argument if a line is empty or holds what a note cannot, or the root has
// not 32 bytes.
Result<std::string> checkpoint_text(const Checkpoint& checkpoint);
// The exact inverse; invalid_argument for everything else. Check the signature first.
Result<Checkpoint> parse_checkpoint(std::string_view text);

}  // namespace sandtrail
