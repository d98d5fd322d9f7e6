// SPDX-License-Identifier: Apache-2.0
// secrets: keys that all processes of a cluster share. On one machine the server makes its own in
// the data directory, in the same form.
#include "base/file.h"
#include "commands.h"
#include "crypto/aead.h"
#include "crypto/note.h"
#include "session.h"

namespace sandtrail::cli {
namespace {

struct SecretsOptions {
  std::string file;
  std::string origin;
};

// A key that was replaced is a key that was lost, with everything under it.
int save(Session& session, const std::string& file, const SecretBytes& content,
         const std::string& setting) {
  const Status saved = create_file_durably(file, content.view(), 0600);
  if (!saved) {
    Error error = saved.error();
    if (error.code == ErrorCode::conflict && error.hint.empty()) {
      error.hint = "nothing was changed; name another file for another key";
    }
    return session.fail(error);
  }
  session.note("made " + file + "; name it in " + setting + ", the same for all processes");
  return 0;
}

int create_root(Session& session, SecretsOptions& o) {
  const SecretBytes key = SecretBytes::random(kSealKeyBytes, session.parts.random);
  Bytes content = hex(key.view()) + "\n";
  const int code = save(session, o.file, SecretBytes::take(content), "keys.root_file");
  if (code == 0) {
    session.note("Keep a copy in a safe place: without it nothing that is sealed can be read.");
  }
  return code;
}

int create_audit(Session& session, SecretsOptions& o) {
  if (o.origin.empty()) {
    return session.usage("give --origin, the value of audit.origin in the settings");
  }
  const SecretBytes seed = SecretBytes::random(kEd25519SeedBytes, session.parts.random);
  const auto signer = NoteSigner::create(o.origin, seed);
  if (!signer) return session.usage(signer.error().message);
  const auto content = note_private_text(o.origin, seed);
  if (!content) return session.fail(content.error());
  const int code = save(session, o.file, *content, "audit.key_file");
  if (code != 0) return code;
  session.note("The public key, for those who verify checkpoints:");
  session.line(signer->verifier().text());
  return 0;
}

}  // namespace

Commands secrets_commands() {
  return {
      make_command<SecretsOptions>(
          "secrets create-root", "Make the root key, under which all other keys are",
          "sandtrail secrets create-root /etc/sandtrail/root.key",
          [](Options& to, SecretsOptions& o) {
            to.argument("FILE", o.file, "to be made: 32 random bytes in hex");
          },
          create_root),
      make_command<SecretsOptions>(
          "secrets create-audit", "Make the key that signs checkpoints of the audit log",
          "sandtrail secrets create-audit /etc/sandtrail/audit.key --origin example.org/audit",
          [](Options& to, SecretsOptions& o) {
            to.argument("FILE", o.file, "to be made: a note key (PRIVATE+KEY+…)");
            to.text("--origin", o.origin, "name of the audit log, as audit.origin has it");
          },
          create_audit),
  };
}

}  // namespace sandtrail::cli
