// SPDX-License-Identifier: Apache-2.0
#include "crypto/note.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "note_text.h"

namespace sandtrail {
namespace {

// Em dash U+2014 and one space.
constexpr std::string_view kLinePrefix = "\xe2\x80\x94 ";

Error malformed(std::string_view what) {
  return {ErrorCode::invalid_argument, "not a signed note: " + std::string(what), ""};
}

// One line without its "\n".
Result<NoteSignature> parse_line(std::string_view line) {
  if (!line.starts_with(kLinePrefix)) return malformed("bad signature line");
  line.remove_prefix(kLinePrefix.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return malformed("bad signature line");
  NoteSignature out;
  out.name = line.substr(0, space);
  const auto blob = unbase64(line.substr(space + 1));
  if (!is_note_name(out.name) || !blob || blob->size() < 5) return malformed("bad signature line");
  out.key_id = get_be32(*blob);
  out.signature = blob->substr(4);
  return out;
}

bool has_signer(const std::vector<NoteSignature>& list, const NoteSignature& signature) {
  return std::any_of(list.begin(), list.end(), [&signature](const NoteSignature& other) {
    return other.name == signature.name && other.key_id == signature.key_id;
  });
}

const NoteVerifier* find_known(const std::vector<NoteVerifier>& known,
                               const NoteSignature& signature) {
  const auto found =
      std::find_if(known.begin(), known.end(), [&signature](const NoteVerifier& verifier) {
        return verifier.name() == signature.name && verifier.key_id() == signature.key_id;
      });
  return found == known.end() ? nullptr : &*found;
}

// Sorts one signature into `note`.
Status judge(NoteSignature signature, const std::vector<NoteVerifier>& known, Note& note) {
  const NoteVerifier* verifier = find_known(known, signature);
  if (verifier == nullptr) {
    note.unverified.push_back(std::move(signature));
    return {};
  }
  if (!verifier->verify(note.text, signature.signature)) {
    return Error{ErrorCode::corrupt, "the signature of " + signature.name + " is wrong", ""};
  }
  // A repetition counts once, or one key could fill a quorum.
  if (!has_signer(note.verified, signature)) note.verified.push_back(std::move(signature));
  return {};
}

}  // namespace

Result<std::string> sign_note(std::string_view text,
                              const std::vector<const NoteSigner*>& signers) {
  if (signers.empty() || signers.size() > limits::kNoteSignaturesMax) {
    return malformed("no signers or too many");
  }
  if (!text.ends_with('\n') || !is_note_content(text)) return malformed("bad text");
  std::string out(text);
  out += '\n';
  for (const NoteSigner* signer : signers) {
    Bytes blob;
    put_be32(blob, signer->verifier().key_id());
    blob += signer->sign(text);
    out += kLinePrefix;
    out += signer->verifier().name();
    out += ' ';
    out += base64(blob);
    out += '\n';
  }
  if (out.size() > limits::kNoteBytesMax) return malformed("too long");
  return out;
}

Result<Note> open_note(std::string_view note, const std::vector<NoteVerifier>& known) {
  if (note.size() > limits::kNoteBytesMax) return malformed("too long");
  if (!is_note_content(note)) return malformed("bad character");
  // The text may hold empty lines itself, the signatures cannot: so the last one separates.
  const std::size_t split = note.rfind("\n\n");
  if (split == std::string_view::npos) return malformed("no signatures");
  Note out;
  out.text = note.substr(0, split + 1);
  std::string_view lines = note.substr(split + 2);
  if (!lines.ends_with('\n')) return malformed("no signatures");
  for (std::size_t count = 1; !lines.empty(); ++count) {
    if (count > limits::kNoteSignaturesMax) return malformed("too many signatures");
    const std::size_t end = lines.find('\n');
    ST_ASSIGN(NoteSignature signature, parse_line(lines.substr(0, end)));
    ST_CHECK_OK(judge(std::move(signature), known, out));
    lines.remove_prefix(end + 1);
  }
  if (out.verified.empty()) {
    return Error{ErrorCode::denied, "the note is not signed by a known key", ""};
  }
  return out;
}

}  // namespace sandtrail
