// SPDX-License-Identifier: Apache-2.0
// Certificates, keys and rules of one server or client, as OpenSSL wants them, kept up to date with
// their files.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace sandtrail::http {

enum class TlsSide { client, server };

struct TlsPlan {
  TlsSide side = TlsSide::client;
  std::string cert_file;  // a client: empty, or both
  std::string key_file;
  std::string ca_file;      // a client: empty for the system's authorities
  bool verify_peer = true;  // a server always does
  std::string peer_role;    // a client: what the server must be; empty for any
  std::shared_ptr<const Clock> clock;
  std::function<void(const Status&)> on_reload;
};

using TlsContext = std::shared_ptr<SSL_CTX>;

// Thread-safe.
class TlsSettings {
 public:
  // Errors: not_found, denied (a key that others may read), corrupt (no PEM, a key of another
  // certificate), invalid_argument (a certificate that is out of date).
  static Result<std::unique_ptr<TlsSettings>> open(TlsPlan plan);

  // For a new connection. If the files have changed, they are read first.
  TlsContext current();
  const TlsPlan& plan() const { return plan_; }

 private:
  explicit TlsSettings(TlsPlan plan) : plan_(std::move(plan)) {}
  std::string files_stamp() const;
  void look(Status& news, bool& changed);

  const TlsPlan plan_;
  std::mutex mutex_;
  TlsContext context_;
  std::string stamp_;   // of the files that context_ was made from
  std::string failed_;  // of files that were no good, and reported
  std::int64_t looked_us_ = 0;
};

// One reading of the files. Errors as TlsSettings::open().
Result<TlsContext> load_tls_context(const TlsPlan& plan);

}  // namespace sandtrail::http
