// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "audit_check.h"
#include "base/file.h"
#include "base/limits.h"
#include "commands.h"
#include "session.h"

namespace sandtrail::cli {
namespace {

struct VerifyOptions {
  std::string vkey;
};

Result<NoteVerifier> read_verifier(const std::string& path) {
  auto read = read_file(path, limits::kNoteBytesMax);
  if (!read.ok() && read.error().code == ErrorCode::not_found) {
    return Error{ErrorCode::not_found, "there is no verifier key " + path,
                 "--data-dir names a server's data directory, --vkey another place of the key"};
  }
  if (!read.ok()) return read.error();
  std::string text = std::move(read).value();
  while (text.ends_with('\n')) text.pop_back();
  auto verifier = NoteVerifier::parse(text);
  if (verifier.ok()) return verifier;
  return Error{verifier.error().code, path + ": " + verifier.error().message,
               "it must hold a verifier key: name+id+base64"};
}

Result<AuditReport> check(Session& session, const VerifyOptions& o) {
  ST_ASSIGN(const std::string directory, session.data_directory());
  ST_ASSIGN(const NoteVerifier verifier,
            read_verifier(o.vkey.empty() ? directory + "/audit.vkey" : o.vkey));
  ST_ASSIGN(const auto log, session.open_log());
  return check_audit(*log, verifier);
}

json::object document_of(const AuditReport& report) {
  json::object out;
  out["verified"] = !report.difference.has_value();
  out["entries"] = report.entries;
  out["root"] = json::value(std::string_view(base64(report.root)));
  out["checkpoints"] = report.checkpoints;
  out["checkpoint_size"] = report.checkpoint_size;
  out["unsigned"] = report.entries - std::min(report.entries, report.checkpoint_size);
  out["pending"] = report.pending;
  out["lost_sources"] = report.lost_sources;
  out["void_records"] = report.void_records;
  if (report.difference) {
    json::object difference;
    difference["place"] = json::value(std::string_view(report.difference->place));
    difference["field"] = json::value(std::string_view(report.difference->field));
    difference["detail"] = json::value(std::string_view(report.difference->detail));
    out["difference"] = std::move(difference);
  }
  return out;
}

int verify(Session& session, VerifyOptions& o) {
  const auto report = check(session, o);
  if (!report.ok()) return session.fail(report.error());
  if (session.globals.json) {
    session.document(document_of(*report));
  } else {
    session.line("entries      " + std::to_string(report->entries) + ", each derived again" +
                 (report->lost_sources == 0 ? ""
                                            : " but " + std::to_string(report->lost_sources) +
                                                  " about records whose loss was accepted"));
    session.line("root         " + base64(report->root));
    session.line("checkpoints  " + std::to_string(report->checkpoints) + ", the newest over " +
                 std::to_string(report->checkpoint_size) + " entries");
    if (report->checkpoint_size < report->entries)
      session.line("unsigned     " + std::to_string(report->entries - report->checkpoint_size) +
                   " entries after it: no signature vouches for them yet");
    session.line("pending      " + std::to_string(report->pending) + " events at the tail");
  }
  if (!report->difference) return 0;
  const AuditDifference& difference = *report->difference;
  session.note(session.painted_error("different:", Color::red) + " " +
               printable(difference.place + " " + difference.field + " " + difference.detail));
  return kExitDifference;
}

}  // namespace

Commands audit_verify_commands() {
  return {make_command<VerifyOptions>(
      "audit verify", "Derive the audit log again from the events and check every signature",
      "sandtrail audit verify\n"
      "sandtrail audit verify --data-dir /var/lib/sandtrail --vkey trusted.vkey --json",
      [](Options& to, VerifyOptions& o) {
        to.text("--vkey", o.vkey, "file with the log's public key; else audit.vkey of the data");
      },
      verify)};
}

}  // namespace sandtrail::cli
