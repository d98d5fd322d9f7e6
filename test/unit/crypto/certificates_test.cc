// SPDX-License-Identifier: Apache-2.0
// Certificates as we read them, and as the openssl program does.
#include "crypto/certificates.h"

#include <doctest/doctest.h>
#include <stdio.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <set>

using namespace sandtrail;

namespace {

constexpr UnixMs kNow{1'800'000'000'000};  // 2027-01-15T08:00:00Z

struct Fixture {
  ManualClock clock{kNow};
  SeededRandom random{7};
  CertifiedKey authority = *create_authority("test-ca", days(100), clock, random);

  CertificateWish wish() const {
    return {"host", "host-1", {"127.0.0.1", "host-1.example"}, days(10)};
  }
  Result<CertifiedKey> issue(const CertificateWish& wanted) {
    return issue_certificate(authority, wanted, clock, random);
  }
  std::string refusal(const CertificateWish& wanted) {
    const auto made = issue(wanted);
    return made ? "issued" : std::string(name_of(made.error().code));
  }
};

// Files for the openssl program.
class Files {
 public:
  Files() {
    char name[] = "/tmp/sandtrail-certificates-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~Files() { std::filesystem::remove_all(path_); }
  void put(const std::string& name, std::string_view content) const {
    std::ofstream(path_ + "/" + name) << content;
  }
  // What the program prints, with its exit code as last line.
  std::string openssl(const std::string& arguments) const {
    FILE* pipe =
        popen(("cd " + path_ + " && openssl " + arguments + " 2>&1; echo exit $?").c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string out;
    char piece[4096];
    while (const std::size_t count = fread(piece, 1, sizeof piece, pipe)) out.append(piece, count);
    pclose(pipe);
    return out;
  }

 private:
  std::string path_;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("an issued certificate says what was asked for") {
  Fixture fixture;
  CertificateWish wish = fixture.wish();
  wish.addresses = {"127.0.0.1", "::1", "host-1.example", "localhost", "10.0.0.7"};
  const auto made = fixture.issue(wish);
  REQUIRE(made.ok());
  const auto facts = read_certificate(made->certificate);
  REQUIRE(facts.ok());
  CHECK(facts->role == "host");
  CHECK(facts->name == "host-1");
  CHECK(facts->issuer == "test-ca");
  CHECK(facts->addresses == wish.addresses);
  CHECK(facts->not_before == kNow - kCertificateLead);
  CHECK(facts->not_after == kNow + days(10));
  CHECK_FALSE(facts->authority);
  CHECK(facts->serial.size() == 32);
  CHECK(facts->fingerprint.size() == 64);
  CHECK(made->key.view().starts_with("-----BEGIN PRIVATE KEY-----"));
}

TEST_CASE("an authority is one, and names no role and no address") {
  Fixture fixture;
  const auto facts = read_certificate(fixture.authority.certificate);
  REQUIRE(facts.ok());
  CHECK(facts->authority);
  CHECK(facts->role.empty());
  CHECK(facts->name == "test-ca");
  CHECK(facts->issuer == "test-ca");
  CHECK(facts->addresses.empty());
}

TEST_CASE("keys and serial numbers are new each time, and only the port's") {
  Fixture fixture;
  std::set<std::string> serials;
  std::set<std::string> keys;
  for (int i = 0; i < 20; ++i) {
    const auto made = fixture.issue(fixture.wish());
    REQUIRE(made.ok());
    const std::string serial = read_certificate(made->certificate)->serial;
    CHECK(serial[0] >= '4');  // positive, and always of 16 bytes
    CHECK(serial[0] <= '7');
    serials.insert(serial);
    keys.emplace(made->key.view());
  }
  CHECK(serials.size() == 20);
  CHECK(keys.size() == 20);
  Fixture again;
  CHECK(again.authority.key.view() == fixture.authority.key.view());
}

TEST_CASE("wishes that make no sense are refused") {
  struct Row {
    std::string what;
    void (*change)(CertificateWish&);
    std::string outcome;
  };
  const Row rows[] = {
      {"nothing wrong", [](CertificateWish&) {}, "issued"},
      {"no role", [](CertificateWish& w) { w.role = ""; }, "invalid_argument"},
      {"a role with a blank", [](CertificateWish& w) { w.role = "a b"; }, "invalid_argument"},
      {"no name", [](CertificateWish& w) { w.name = ""; }, "invalid_argument"},
      {"a name that is a path", [](CertificateWish& w) { w.name = "../x"; }, "invalid_argument"},
      {"a hidden file", [](CertificateWish& w) { w.name = ".x"; }, "invalid_argument"},
      {"64 letters", [](CertificateWish& w) { w.name.assign(64, 'x'); }, "issued"},
      {"65 letters", [](CertificateWish& w) { w.name.assign(65, 'x'); }, "invalid_argument"},
      {"not ASCII", [](CertificateWish& w) { w.name = "h\xc3\xb6st"; }, "invalid_argument"},
      {"no address", [](CertificateWish& w) { w.addresses = {}; }, "invalid_argument"},
      {"64 addresses", [](CertificateWish& w) { w.addresses.assign(64, "a"); }, "issued"},
      {"65 addresses", [](CertificateWish& w) { w.addresses.assign(65, "a"); }, "invalid_argument"},
      {"an address with port", [](CertificateWish& w) { w.addresses = {"127.0.0.1:80"}; },
       "invalid_argument"},
      {"another one's extension", [](CertificateWish& w) { w.addresses = {"a,IP:10.0.0.1"}; },
       "invalid_argument"},
      {"short IPv4", [](CertificateWish& w) { w.addresses = {"127.1"}; }, "invalid_argument"},
      {"long IPv6", [](CertificateWish& w) { w.addresses = {"0:0::1"}; }, "invalid_argument"},
      {"upper case", [](CertificateWish& w) { w.addresses = {"Host"}; }, "invalid_argument"},
      {"a wildcard", [](CertificateWish& w) { w.addresses = {"*.example"}; }, "invalid_argument"},
      {"an empty label", [](CertificateWish& w) { w.addresses = {"a..b"}; }, "invalid_argument"},
      {"a dot at the end", [](CertificateWish& w) { w.addresses = {"a."}; }, "invalid_argument"},
      {"a dash in front", [](CertificateWish& w) { w.addresses = {"-a"}; }, "invalid_argument"},
      {"a dash at a label's end", [](CertificateWish& w) { w.addresses = {"a-.b"}; },
       "invalid_argument"},
      {"a label of 63", [](CertificateWish& w) { w.addresses = {std::string(63, 'a')}; }, "issued"},
      {"a label of 64", [](CertificateWish& w) { w.addresses = {std::string(64, 'a')}; },
       "invalid_argument"},
      {"nothing as address", [](CertificateWish& w) { w.addresses = {""}; }, "invalid_argument"},
      {"no time", [](CertificateWish& w) { w.lifetime = {}; }, "invalid_argument"},
      {"as long as the authority", [](CertificateWish& w) { w.lifetime = days(100); }, "issued"},
      {"longer than the authority", [](CertificateWish& w) { w.lifetime = days(101); },
       "invalid_argument"},
      {"for ever", [](CertificateWish& w) { w.lifetime = days(40'000); }, "invalid_argument"},
  };
  Fixture fixture;
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CertificateWish wish = fixture.wish();
    row.change(wish);
    CHECK(fixture.refusal(wish) == row.outcome);
  }
  CHECK_FALSE(create_authority("a/b", days(1), fixture.clock, fixture.random).ok());
  CHECK_FALSE(create_authority("ca", days(36'501), fixture.clock, fixture.random).ok());
}

TEST_CASE("only an authority with its own key and time left issues") {
  Fixture fixture;
  const auto leaf = fixture.issue(fixture.wish());
  REQUIRE(leaf.ok());
  const auto outcome = [&](const CertifiedKey& authority) {
    const auto made = issue_certificate(authority, fixture.wish(), fixture.clock, fixture.random);
    return made ? "issued" : std::string(name_of(made.error().code));
  };
  CHECK(outcome(*leaf) == "conflict");
  CHECK(outcome({fixture.authority.certificate, leaf->key.clone()}) == "corrupt");
  CHECK(outcome({fixture.authority.certificate, SecretBytes("nonsense")}) == "corrupt");
  CHECK(outcome({"nonsense", fixture.authority.key.clone()}) == "corrupt");
  CHECK(outcome({"", SecretBytes()}) == "corrupt");
  fixture.clock.advance(days(101));
  CHECK(outcome(fixture.authority) == "conflict");
}

TEST_CASE("what is no certificate is corrupt") {
  Fixture fixture;
  const std::string& text = fixture.authority.certificate;
  CHECK_FALSE(read_certificate("").ok());
  CHECK_FALSE(read_certificate(fixture.authority.key.view()).ok());
  CHECK_FALSE(read_certificate(text.substr(0, text.size() / 2)).ok());
  CHECK(read_certificate("a comment\n" + text + "more\n").ok());
  for (std::size_t at = 30; at < text.size(); at += 7) {  // never a crash
    std::string changed = text;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    (void)read_certificate(changed);
  }
}

TEST_CASE("openssl accepts the chain for both purposes, and its addresses") {
  Fixture fixture;
  const Files files;
  const auto made = fixture.issue(fixture.wish());
  const auto stranger = create_authority("test-ca", days(100), fixture.clock, fixture.random);
  REQUIRE(made.ok());
  files.put("ca.crt", fixture.authority.certificate);
  files.put("other.crt", stranger->certificate);
  files.put("host.crt", made->certificate);
  files.put("host.key", made->key.view());
  struct Row {
    std::string arguments;
    bool accepted;
  };
  const Row rows[] = {
      {"-CAfile ca.crt -purpose sslserver -verify_ip 127.0.0.1", true},
      {"-CAfile ca.crt -purpose sslclient", true},
      {"-CAfile ca.crt -purpose sslserver -verify_hostname host-1.example", true},
      {"-CAfile ca.crt -purpose sslserver -verify_hostname host-1", false},  // the CN is no address
      {"-CAfile ca.crt -purpose sslserver -verify_ip 127.0.0.2", false},
      {"-CAfile ca.crt -purpose smimesign", false},
      {"-CAfile other.crt", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.arguments);
    const std::string said =
        files.openssl(std::string("verify -x509_strict -no-CApath -attime 1800000100 ") +
                      row.arguments + " host.crt");
    CAPTURE(said);
    CHECK(has(said, "exit 0\n") == row.accepted);
  }
  CHECK(has(files.openssl("verify -CAfile ca.crt -attime 1799999600 host.crt"), "not yet valid"));
  CHECK(has(files.openssl("verify -CAfile ca.crt -attime 1801000000 host.crt"), "has expired"));
  CHECK(has(files.openssl("pkey -in host.key -check -noout"), "Key is valid"));
  CHECK(files.openssl("pkey -in host.key -pubout") ==
        files.openssl("x509 -in host.crt -noout -pubkey"));
}

TEST_CASE("openssl shows the fields as RFC 5280 wants them") {
  Fixture fixture;
  const Files files;
  const auto made = fixture.issue(fixture.wish());
  REQUIRE(made.ok());
  files.put("ca.crt", fixture.authority.certificate);
  files.put("host.crt", made->certificate);
  const std::string host = files.openssl("x509 -in host.crt -noout -text -nameopt RFC2253");
  CAPTURE(host);
  for (const std::string part :
       {"Version: 3 (0x2)", "Signature Algorithm: ecdsa-with-SHA256", "Issuer: CN=test-ca",
        "Not Before: Jan 15 07:55:00 2027 GMT", "Not After : Jan 25 08:00:00 2027 GMT",
        "Subject: CN=host-1,OU=host", "NIST CURVE: P-256",
        "X509v3 Basic Constraints: critical\n                CA:FALSE",
        "X509v3 Key Usage: critical\n                Digital Signature\n",
        "TLS Web Server Authentication, TLS Web Client Authentication\n",
        "IP Address:127.0.0.1, DNS:host-1.example\n",
        "X509v3 Subject Key Identifier:", "X509v3 Authority Key Identifier:"}) {
    CAPTURE(part);
    CHECK(has(host, part));
  }
  const std::string ca = files.openssl("x509 -in ca.crt -noout -text");
  CAPTURE(ca);
  CHECK(has(ca, "X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0"));
  CHECK(has(ca, "X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign\n"));
  const auto facts = read_certificate(made->certificate);
  std::string serial = files.openssl("x509 -in host.crt -noout -serial");
  for (char& c : serial) c = static_cast<char>(tolower(c));
  CHECK(has(serial, "serial=" + facts->serial));
}
