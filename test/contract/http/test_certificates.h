// SPDX-License-Identifier: Apache-2.0
// An authority and certificates in a temporary directory, for all tests of the process.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "crypto/certificates.h"
#include "http/server.h"
#include "http_beast/client.h"

namespace sandtrail::http::test {

// A directory in /tmp, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// "NAME.crt" and "NAME.key". Valid from the start of ManualClock, for a hundred years. Thread-safe.
class TestCertificates {
 public:
  TestCertificates();
  // "ca.crt", "ca.key", "other-ca.crt"; "server", "host" and "billing" of the authority with their
  // name as role, for 127.0.0.1 and localhost; "stranger" of the other authority. An absolute name
  // is another directory's.
  std::string path(const std::string& name) const {
    return name.starts_with('/') ? name : directory_ / name;
  }

  // Another one into `directory`, as wished; `stranger`: of the other authority.
  void issue(const std::string& directory, const std::string& file, const CertificateWish& wish,
             bool stranger = false);

 private:
  TemporaryDirectory directory_;
  ManualClock clock_;
  SystemRandom random_;
  CertifiedKey authority_;
  CertifiedKey other_;
};

TestCertificates& test_certificates();
ServerTls server_tls(const std::string& name = "server");
// With `name` as certificate, and the authority.
void use_certificate(ClientOptions& options, const std::string& name = "host");

}  // namespace sandtrail::http::test
