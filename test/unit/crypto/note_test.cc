// SPDX-License-Identifier: Apache-2.0
#include "crypto/note.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace sandtrail;

namespace {

// The example of golang.org/x/mod/sumdb/note.
const std::string kGoVerifier =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const std::string kGoSigner =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const std::string kGoText =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n";
const std::string kGoLine =
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZ"
    "b6KE6RyyBwJnAM=\n";

// The example of C2SP signed-note.
const std::string kSpecVerifier =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const std::string kSpecNote =
    "This is an example message.\n"
    "\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuw"
    "HjG1Yu72IneyaQM=\n";

NoteSigner signer(std::string name, char seed) {
  auto out = NoteSigner::create(std::move(name), SecretBytes(Bytes(32, seed)));
  REQUIRE(out.ok());
  return std::move(*out);
}

NoteVerifier verifier(const std::string& vkey) {
  auto out = NoteVerifier::parse(vkey);
  REQUIRE(out.ok());
  return *out;
}

ErrorCode open_error(const std::string& note, const std::vector<NoteVerifier>& known) {
  const auto opened = open_note(note, known);
  REQUIRE_FALSE(opened.ok());
  return opened.error().code;
}

std::string line_of(const NoteSigner& by, const std::string& text) {
  const std::string note = *sign_note(text, {&by});
  return note.substr(text.size() + 1);
}

}  // namespace

TEST_CASE("notes: Go's published key signs Go's published note byte for byte") {
  const auto by = NoteSigner::parse(kGoSigner);
  REQUIRE(by.ok());
  CHECK(by->verifier().text() == kGoVerifier);
  const auto note = sign_note(kGoText, {&*by});
  REQUIRE(note.ok());
  CHECK(*note == kGoText + "\n" + kGoLine);
  const auto opened = open_note(*note, {verifier(kGoVerifier)});
  REQUIRE(opened.ok());
  CHECK(opened->text == kGoText);
  REQUIRE(opened->verified.size() == 1);
  CHECK(opened->verified[0].name == "PeterNeumann");
  CHECK(opened->verified[0].key_id == 0xc74f20a3);
  CHECK(opened->unverified.empty());
}

TEST_CASE("notes: the specification's example verifies") {
  const auto opened = open_note(kSpecNote, {verifier(kSpecVerifier)});
  REQUIRE(opened.ok());
  CHECK(opened->text == "This is an example message.\n");
  CHECK(verifier(kSpecVerifier).text() == kSpecVerifier);
  CHECK(verifier(kSpecVerifier).key_id() == 0x530d903a);
}

TEST_CASE("note keys: the private form round-trips and hides in errors") {
  const Bytes material = *unbase64("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz");
  const auto text = note_private_text("PeterNeumann", SecretBytes(material.substr(1)));
  REQUIRE(text.ok());
  CHECK(text->view() == kGoSigner);
  CHECK(note_private_text("two words", SecretBytes(Bytes(32, 'x'))).error().code ==
        ErrorCode::invalid_argument);
  std::string wrong_id = kGoSigner;
  wrong_id.replace(wrong_id.find("c74f"), 4, "c74e");
  const auto parsed = NoteSigner::parse(wrong_id);
  REQUIRE_FALSE(parsed.ok());
  CHECK(parsed.error().text().find("AYEK") == std::string::npos);
  CHECK_FALSE(NoteSigner::parse(kGoVerifier).ok());
}

TEST_CASE("note keys: no part of a verifier key and no changed character is accepted") {
  for (std::size_t begin = 0; begin < kGoVerifier.size(); ++begin) {
    for (std::size_t end = begin; end <= kGoVerifier.size(); ++end) {
      if (begin == 0 && end == kGoVerifier.size()) continue;
      REQUIRE_FALSE(NoteVerifier::parse(kGoVerifier.substr(begin, end - begin)).ok());
    }
  }
  for (std::size_t i = 0; i < kGoVerifier.size(); ++i) {
    std::string changed = kGoVerifier;
    changed[i] = static_cast<char>(changed[i] + 1);
    REQUIRE_FALSE(NoteVerifier::parse(changed).ok());
  }
  // Type 4 (cosignature) with its right key id: known to the format, not to us.
  const auto cosigner =
      NoteVerifier::parse("remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2");
  REQUIRE_FALSE(cosigner.ok());
  CHECK(cosigner.error().message.find("type") != std::string::npos);
}

TEST_CASE("note keys: names") {
  const struct {
    std::string name;
    bool good;
  } rows[] = {
      {"log.example/audit", true},
      {"käse", true},
      {"", false},
      {"a b", false},
      {"a+b", false},
      {"a\nb", false},
      {"a\tb", false},
      {"a\u00a0b", false},
      {"a\u3000b", false},
      {"a\u2028", false},
      {"\xff", false},
      {"a\u200bb", true},  // not a space
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(NoteVerifier::create(row.name, Bytes(32, 'k')).ok() == row.good);
  }
  CHECK_FALSE(NoteVerifier::create("name", Bytes(31, 'k')).ok());
  CHECK_FALSE(NoteSigner::create("name", SecretBytes(Bytes(33, 'k'))).ok());
}

TEST_CASE("notes: unknown signers are ignored, known ones must be right") {
  const NoteSigner a = signer("a", 'a');
  const NoteSigner b = signer("b", 'b');
  const std::string note = *sign_note("text\n", {&a, &b});
  const auto opened = open_note(note, {b.verifier()});
  REQUIRE(opened.ok());
  REQUIRE(opened->verified.size() == 1);
  CHECK(opened->verified[0].name == "b");
  REQUIRE(opened->unverified.size() == 1);
  CHECK(opened->unverified[0].name == "a");
  CHECK(open_error(note, {}) == ErrorCode::denied);
  CHECK(open_error(note, {signer("c", 'c').verifier()}) == ErrorCode::denied);
  // The same name with another key is another signer.
  CHECK(open_error(note, {signer("a", 'c').verifier()}) == ErrorCode::denied);

  const std::string forged = "Text\n\n" + line_of(a, "text\n") + line_of(b, "Text\n");
  CHECK(open_error(forged, {a.verifier()}) == ErrorCode::corrupt);
  CHECK(open_error(forged, {b.verifier(), a.verifier()}) == ErrorCode::corrupt);
  CHECK(open_note(forged, {b.verifier()}).ok());
}

TEST_CASE("notes: a repeated signature counts once, and a false repetition rejects") {
  const NoteSigner a = signer("a", 'a');
  const std::string good = line_of(a, "text\n");
  const auto opened = open_note("text\n\n" + good + good, {a.verifier()});
  REQUIRE(opened.ok());
  CHECK(opened->verified.size() == 1);
  CHECK(open_error("text\n\n" + good + line_of(a, "other\n"), {a.verifier()}) ==
        ErrorCode::corrupt);
}

TEST_CASE("notes: the last empty line separates, and the text may hold others") {
  const NoteSigner a = signer("a", 'a');
  for (const std::string text : {"\n", "\n\n", "one\n\ntwo\n", "one\n\n", "— a abc\n", "käse\n"}) {
    CAPTURE(text);
    const auto note = sign_note(text, {&a});
    REQUIRE(note.ok());
    const auto opened = open_note(*note, {a.verifier()});
    REQUIRE(opened.ok());
    CHECK(opened->text == text);
  }
}

TEST_CASE("notes: texts that cannot be signed") {
  const NoteSigner a = signer("a", 'a');
  for (const std::string text : {"", "no line end", "tab\there\n", "carriage\r\n", "\xff\n"}) {
    CAPTURE(text);
    CHECK(sign_note(text, {&a}).error().code == ErrorCode::invalid_argument);
  }
  CHECK(sign_note(std::string(1, '\0') + "\n", {&a}).error().code == ErrorCode::invalid_argument);
  CHECK(sign_note("text\n", {}).error().code == ErrorCode::invalid_argument);
  CHECK(sign_note(std::string(1u << 20, 'x') + "\n", {&a}).error().code ==
        ErrorCode::invalid_argument);
}

TEST_CASE("notes: malformed ones are invalid, never a crash") {
  const NoteSigner a = signer("a", 'a');
  const std::vector<NoteVerifier> known = {a.verifier()};
  const std::string line = line_of(a, "text\n");
  const std::string body = line.substr(std::string("— a ").size());
  const std::string rows[] = {
      "",
      "text\n",
      "text\n" + line,  // no empty line
      "text\n\n",       // no signature
      "text\n\n" + line.substr(0, line.size() - 1),
      "text\n\n" + line + "\n",  // an empty line at the end
      "text\n\n" + line + "junk\n",
      "text\n\n- a " + body,  // a hyphen
      "text\n\n—a " + body,
      "text\n\n— a  " + body,
      "text\n\n—  " + body,  // no name
      "text\n\n— a+b " + body,
      "text\n\n— a\n",
      "text\n\n— a \n",
      "text\n\n— a AAAA\n",    // too short for a key id and a signature
      "text\n\n— a AAAAAA\n",  // unpadded
      "te\txt\n\n" + line,
      "te\xffxt\n\n" + line,
      "text\r\n\r\n" + line,
      std::string(1u << 20, 'x') + "\n\n" + line,
  };
  for (const std::string& row : rows) {
    CAPTURE(row.substr(0, 100));
    CHECK(open_error(row, known) == ErrorCode::invalid_argument);
  }
  std::string many = "text\n\n";
  for (int i = 0; i < 100; ++i) many += line;
  CHECK(open_note(many, known).ok());
  CHECK(open_error(many + line, known) == ErrorCode::invalid_argument);
}
