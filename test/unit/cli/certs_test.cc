// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/file.h"
#include "base/limits.h"
#include "crypto/certificates.h"
#include "harness.h"

namespace sandtrail {
namespace {

using test::Harness;
using test::has;

// `sandtrail certs …` in a directory of its own.
struct Certs : Harness {
  int certs(std::vector<std::string> arguments) {
    out = err = "";
    arguments.insert(arguments.begin(), "certs");
    if (arguments[1] != "show") {
      arguments.insert(arguments.end(), {"--dir", in("")});
    }
    return run(arguments, true);
  }
  std::string in(const std::string& name) const {
    return directory + "/c" + (name.empty() ? "" : "/") + name;
  }
  Bytes content(const std::string& name) const { return *read_file(in(name), 1u << 20); }
  CertificateFacts facts(const std::string& name) const { return *read_certificate(content(name)); }
  unsigned mode(const std::string& name) const {
    struct stat info {};
    REQUIRE(::stat(in(name).c_str(), &info) == 0);
    return info.st_mode & 0777;
  }
};

TEST_CASE("an authority and its certificates are files that fit together") {
  Certs h;
  REQUIRE(h.certs({"create-ca"}) == 0);
  CHECK(h.out == h.in("ca.crt") + "\n" + h.in("ca.key") + "\n");
  CHECK(has(h.err, "Next: sandtrail certs issue"));
  CHECK(h.mode("ca.key") == 0600);
  CHECK(h.facts("ca.crt").authority);
  CHECK(h.facts("ca.crt").not_after == UnixMs{h.clock.now().count / 1000 * 1000} + days(3650));

  REQUIRE(h.certs({"issue", "host", "--name", "host-1", "--address", "10.0.0.9", "--address",
                   "host-1.internal"}) == 0);
  CHECK(h.out == h.in("host-host-1.crt") + "\n" + h.in("host-host-1.key") + "\n");
  CHECK(has(h.err, "cluster.cert_file"));
  CHECK(h.mode("host-host-1.key") == 0600);
  CHECK(h.mode("host-host-1.crt") == 0644);
  const CertificateFacts facts = h.facts("host-host-1.crt");
  CHECK(facts.role == "host");
  CHECK(facts.name == "host-1");
  CHECK(facts.issuer == "sandtrail-ca");
  CHECK(facts.addresses == std::vector<std::string>{"10.0.0.9", "host-1.internal"});
  CHECK(facts.not_after == UnixMs{h.clock.now().count / 1000 * 1000} + days(365));
  CHECK(h.requests().empty());
}

TEST_CASE("names and days are as asked for, and shown as JSON") {
  Certs h;
  REQUIRE(h.certs({"create-ca", "--name", "acme", "--days", "10"}) == 0);
  REQUIRE(h.certs({"issue", "gateway", "--name", "g", "--address", "::1", "--days", "9",
                   "--json"}) == 0);
  CHECK(has(h.out, R"("certificate":")" + h.in("gateway-g.crt")));
  CHECK(has(h.out, R"("expires_at":"2023-11-23T22:13:20.000Z")"));
  CHECK(h.err == "");
  REQUIRE(h.certs({"show", h.in("gateway-g.crt")}) == 0);
  CHECK(has(h.out, "role       gateway\n"));
  CHECK(has(h.out, "addresses  ::1\n"));
  CHECK(has(h.out, "issuer     acme\n"));
  CHECK(has(h.out, "valid now  true\n"));
  h.clock.advance(days(10));
  REQUIRE(h.certs({"show", h.in("gateway-g.crt"), "--json"}) == 0);
  CHECK(has(h.out, R"("valid_now":false)"));
}

TEST_CASE("nothing that is there is replaced") {
  Certs h;
  REQUIRE(h.certs({"create-ca"}) == 0);
  const std::vector<std::string> issue{"issue", "host", "--name", "a", "--address", "localhost"};
  REQUIRE(h.certs(issue) == 0);
  const Bytes before = h.content("ca.key") + h.content("ca.crt") + h.content("host-a.key");
  CHECK(h.certs({"create-ca"}) == 3);
  CHECK(has(h.err, "ca.key is there already"));
  CHECK(has(h.err, "move "));
  CHECK(h.certs(issue) == 3);
  CHECK(has(h.err, "host-a.key is there already"));
  CHECK(h.content("ca.key") + h.content("ca.crt") + h.content("host-a.key") == before);
  // A certificate without its key is kept as well, and no key left beside it.
  std::filesystem::remove(h.in("host-a.key"));
  const Bytes certificate = h.content("host-a.crt");
  CHECK(h.certs(issue) == 3);
  CHECK(h.content("host-a.crt") == certificate);
  CHECK_FALSE(std::filesystem::exists(h.in("host-a.key")));
}

TEST_CASE("errors say what to do") {
  struct Row {
    std::vector<std::string> arguments;
    int code;
    std::string says;
  };
  const std::vector<std::string> address{"--address", "localhost"};
  const Row rows[] = {
      {{"issue", "hots", "--name", "a", "--address", "b"}, 2, "did you mean 'host'?"},
      {{"issue", "nonsense", "--name", "a", "--address", "b"}, 2, "roles are gateway, launcher"},
      {{"issue", "host", "--address", "b"}, 2, "give a --name"},
      {{"issue", "host", "--name", "a"}, 2, "needs an address"},
      {{"issue", "host", "--name", "../a", "--address", "b"}, 2, "the name of a certificate is"},
      {{"issue", "host", "--name", "a", "--address", "b:80"}, 2, "without a port"},
      {{"issue", "host", "--name", "a", "--address", "b", "--days", "4000"}, 2, "fewer days"},
      {{"issue", "host", "--name", "a", "--address", "b", "--days", "-1"}, 2, "a minute at least"},
      {{"issue", "host", "--name", "a", "--address", "b", "--days", "9223372036854775807"},
       2,
       "36500 days at most"},
      {{"create-ca", "--days", "0", "--name", "x"}, 2, "a minute at least"},
      {{"create-ca", "--name", "a b"}, 2, "the name of a certificate is"},
      {{"show", "/nonexistent"}, 3, "/nonexistent"},
      {{"show", "/dev/null"}, 3, "BEGIN CERTIFICATE"},
  };
  Certs h;
  REQUIRE(h.certs({"create-ca"}) == 0);
  for (const Row& row : rows) {
    CAPTURE(row.says);
    CHECK(h.certs(row.arguments) == row.code);
    CAPTURE(h.err);
    CHECK(has(h.err, row.says));
    CHECK(h.out == "");
  }
  ::chmod(h.in("ca.key").c_str(), 0644);
  CHECK(h.certs({"issue", "host", "--name", "a", "--address", "b"}) == 3);
  CHECK(has(h.err, "chmod 600"));
  std::filesystem::remove(h.in("ca.key"));
  CHECK(h.certs({"issue", "host", "--name", "a", "--address", "b"}) == 3);
  CHECK(has(h.err, "sandtrail certs create-ca"));
}

}  // namespace
}  // namespace sandtrail
