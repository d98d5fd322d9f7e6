// SPDX-License-Identifier: Apache-2.0
#include "test_certificates.h"

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>

#include "base/file.h"

namespace sandtrail::http::test {
namespace {

constexpr Millis kCentury = days(36'500);

void must(const Status& status) {
  if (!status) throw std::runtime_error(status.error().text());
}

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  char name[] = "/tmp/sandtrail-tls-XXXXXX";
  if (mkdtemp(name) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::filesystem::remove_all(path_);
}

TestCertificates::TestCertificates()
    : authority_(must(create_authority("test-ca", kCentury, clock_, random_))),
      other_(must(create_authority("other-ca", kCentury, clock_, random_))) {
  must(write_file_durably(path("ca.crt"), authority_.certificate, 0644));
  must(write_file_durably(path("ca.key"), authority_.key.view(), 0600));
  must(write_file_durably(path("other-ca.crt"), other_.certificate, 0644));
  for (const std::string name : {"server", "host", "billing", "stranger"}) {
    issue(directory_.path(), name, {name, name + "-1", {"127.0.0.1", "localhost"}, kCentury},
          name == "stranger");
  }
}

void TestCertificates::issue(const std::string& directory, const std::string& file,
                             const CertificateWish& wish, bool stranger) {
  const CertifiedKey made =
      must(issue_certificate(stranger ? other_ : authority_, wish, clock_, random_));
  must(write_file_durably(directory + "/" + file + ".crt", made.certificate, 0644));
  must(write_file_durably(directory + "/" + file + ".key", made.key.view(), 0600));
}

TestCertificates& test_certificates() {
  static TestCertificates all;
  return all;
}

ServerTls server_tls(const std::string& name) {
  ServerTls out;
  out.cert_file = test_certificates().path(name + ".crt");
  out.key_file = test_certificates().path(name + ".key");
  out.ca_file = test_certificates().path("ca.crt");
  return out;
}

void use_certificate(ClientOptions& options, const std::string& name) {
  options.cert_file = test_certificates().path(name + ".crt");
  options.key_file = test_certificates().path(name + ".key");
  options.ca_file = test_certificates().path("ca.crt");
}

}  // namespace sandtrail::http::test
