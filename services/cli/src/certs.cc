// SPDX-License-Identifier: Apache-2.0
// certs: a private authority and the certificates by which the processes of a cluster know each
// other. Files only; no server is asked.
#include "crypto/certificates.h"

#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/limits.h"
#include "commands.h"
#include "config/nearest.h"
#include "listing.h"

namespace sandtrail::cli {
namespace {

constexpr std::int64_t kAuthorityDays = 3650;
constexpr std::int64_t kCertificateDays = 365;

struct CertsOptions {
  std::string directory = "certs";
  std::string argument;
  std::string name;
  std::vector<std::string> addresses;
  std::optional<std::int64_t> days;
};

const std::vector<std::string>& roles() {
  static const std::vector<std::string> all{"gateway",  "launcher", "billing", "retention",
                                            "webhooks", "auditor",  "host",    "operator"};
  return all;
}

// Neither is ever replaced: a key that is gone cannot be had back.
Status save(const std::string& base, const CertifiedKey& made) {
  const std::string key_file = base + ".key";
  Status saved = create_file_durably(key_file, made.key.view(), 0600);
  if (saved) {
    saved = create_file_durably(base + ".crt", made.certificate, 0644);
    if (!saved) ::unlink(key_file.c_str());  // of no use alone
  }
  if (saved || saved.error().code != ErrorCode::conflict) return saved;
  Error error = saved.error();
  if (error.hint.empty()) error.hint = "move " + base + ".crt and .key away to have others made";
  return error;
}

// The days asked for, else as many as usual. More than a certificate may have is left to its maker.
Millis lifetime(const CertsOptions& o, std::int64_t usual) {
  const std::int64_t most = limits::kCertificateLifetimeMax.count / days(1).count + 1;
  return days(std::clamp<std::int64_t>(o.days.value_or(usual), 0, most));
}

std::string date_of(UnixMs time) {
  return rfc3339(time).substr(0, 10);
}

json::value text(std::string_view content) {
  return json::value(content);
}

// What was made: its files on standard output, what to do next beside it.
int tell(Session& session, const std::string& base, const CertifiedKey& made,
         const std::string& next) {
  const auto facts = read_certificate(made.certificate);
  if (!facts) return session.fail(facts.error());
  if (session.globals.json) {
    json::object out;
    out["certificate"] = text(base + ".crt");
    out["key"] = text(base + ".key");
    out["expires_at"] = text(rfc3339(facts->not_after));
    session.document(out);
    return 0;
  }
  session.line(base + ".crt");
  session.line(base + ".key");
  session.note("valid until " + date_of(facts->not_after) + "; " + next);
  return 0;
}

int create_ca(Session& session, CertsOptions& o) {
  if (const auto made = make_directories(o.directory, 0700); !made) {
    return session.fail(made.error());
  }
  const std::string name = o.name.empty() ? "sandtrail-ca" : o.name;
  const auto authority = create_authority(name, lifetime(o, kAuthorityDays), session.parts.clock,
                                          session.parts.random);
  if (!authority) return session.usage(authority.error().message);
  const std::string base = o.directory + "/ca";
  if (const auto saved = save(base, *authority); !saved) return session.fail(saved.error());
  return tell(session, base, *authority,
              "every process needs ca.crt, none ca.key: keep that where only you can read it.\n"
              "Next: sandtrail certs issue gateway --name gateway-1 --address 127.0.0.1" +
                  (o.directory == "certs" ? "" : " --dir " + o.directory));
}

Result<CertifiedKey> load_authority(const std::string& directory) {
  CertifiedKey out;
  const std::string base = directory + "/ca";
  auto certificate = read_file(base + ".crt", limits::kTlsFileBytesMax);
  auto key = read_secret_file(base + ".key", limits::kTlsFileBytesMax);
  for (const auto* file : {&certificate, &key}) {
    if (*file) continue;
    Error error = file->error();
    if (error.code == ErrorCode::not_found) {
      error.hint =
          "make an authority with sandtrail certs create-ca, or name its directory with "
          "--dir";
    }
    return error;
  }
  out.certificate = std::move(*certificate);
  out.key = SecretBytes::take(*key);
  return out;
}

int issue(Session& session, CertsOptions& o) {
  if (std::find(roles().begin(), roles().end(), o.argument) == roles().end()) {
    const std::string meant = nearest(o.argument, roles());
    std::string all;
    for (const std::string& role : roles()) all += (all.empty() ? "" : ", ") + role;
    return session.usage("there is no role '" + o.argument + "'; " +
                         (meant.empty() ? "roles are " + all : "did you mean '" + meant + "'?"));
  }
  if (o.name.empty()) return session.usage("give a --name; each process has its own");
  auto authority = load_authority(o.directory);
  if (!authority) return session.fail(authority.error());
  const CertificateWish wish{o.argument, o.name, o.addresses, lifetime(o, kCertificateDays)};
  const auto made = issue_certificate(*authority, wish, session.parts.clock, session.parts.random);
  if (!made && made.error().code == ErrorCode::invalid_argument) {
    const Error& error = made.error();
    return session.usage(error.message + (error.hint.empty() ? "" : "; " + error.hint));
  }
  if (!made) return session.fail(made.error());
  const std::string base = o.directory + "/" + o.argument + "-" + o.name;
  if (const auto saved = save(base, *made); !saved) return session.fail(saved.error());
  return tell(session, base, *made,
              "give the process these files and ca.crt as\n"
              "cluster.cert_file, cluster.key_file and cluster.ca_file of its settings");
}

int show(Session& session, CertsOptions& o) {
  const auto content = read_file(o.argument, limits::kTlsFileBytesMax);
  if (!content) return session.fail(content.error());
  const auto facts = read_certificate(*content);
  if (!facts) {
    return session.fail({facts.error().code, "there is no certificate in " + o.argument,
                         "it must be in PEM form: -----BEGIN CERTIFICATE-----"});
  }
  const UnixMs now = session.parts.clock.now();
  const bool valid = facts->not_before <= now && now <= facts->not_after;
  json::array addresses;
  for (const std::string& address : facts->addresses) addresses.push_back(text(address));
  json::object out;
  out["role"] = text(facts->role);
  out["name"] = text(facts->name);
  out["authority"] = facts->authority;
  out["addresses"] = std::move(addresses);
  out["issuer"] = text(facts->issuer);
  out["not_before"] = text(rfc3339(facts->not_before));
  out["not_after"] = text(rfc3339(facts->not_after));
  out["valid_now"] = valid;
  out["serial"] = text(facts->serial);
  out["sha256"] = text(facts->fingerprint);
  return show_one(session, out,
                  {{"role", "role"},
                   {"name", "name"},
                   {"authority", "authority"},
                   {"addresses", "addresses"},
                   {"issuer", "issuer"},
                   {"from", "not_before"},
                   {"until", "not_after"},
                   {"valid now", "valid_now"},
                   {"serial", "serial"},
                   {"SHA-256", "sha256"}});
}

void directory_option(Options& to, CertsOptions& o) {
  to.text("--dir", o.directory, "where the authority is kept; certs unless given");
}

}  // namespace

Commands certs_commands() {
  return {
      make_command<CertsOptions>(
          "certs create-ca", "Make a private authority",
          "sandtrail certs create-ca\n"
          "sandtrail certs create-ca --dir /etc/sandtrail/certs --days 730",
          [](Options& to, CertsOptions& o) {
            directory_option(to, o);
            to.text("--name", o.name, "sandtrail-ca unless given");
            to.number("--days", o.days, "how long it is valid; 3650 unless given");
          },
          create_ca),
      make_command<CertsOptions>(
          "certs issue", "Make a key and a certificate for one process",
          "sandtrail certs issue launcher --name launcher-1 --address 10.0.0.5\n"
          "sandtrail certs issue host --name host-1 --address host-1.internal --address 10.0.0.9\n"
          "sandtrail certs issue operator --name ada --address localhost",
          [](Options& to, CertsOptions& o) {
            to.argument("ROLE", o.argument,
                        "gateway, launcher, billing, retention, webhooks, auditor, host, operator");
            to.text("--name", o.name, "of the process; no two of a role share one");
            to.texts("--address", o.addresses,
                     "IP address or host name that others connect to; several times for several");
            directory_option(to, o);
            to.number("--days", o.days, "how long it is valid; 365 unless given");
          },
          issue),
      make_command<CertsOptions>(
          "certs show", "Show what a certificate says",
          "sandtrail certs show certs/gateway-gateway-1.crt",
          [](Options& to, CertsOptions& o) {
            to.argument("FILE", o.argument, "a certificate in PEM form");
          },
          show),
  };
}

}  // namespace sandtrail::cli
