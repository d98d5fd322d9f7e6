// SPDX-License-Identifier: Apache-2.0
// Which server is meant, and with which key.
//
//   url  --url, SANDTRAIL_URL, else "url" of <data directory>/dev.json
//   key  --key-file, SANDTRAIL_API_KEY, else "api_key" of dev.json, but only for dev.json's own url
//
// dev.json is written by `sandtrail dev`, mode 0600: {"url", "api_key", "organization",
// "callback_secret", "operator_socket"}.
#pragma once

#include <optional>
#include <string>

#include "http/client.h"
#include "session.h"

namespace sandtrail::cli {

struct DevFile {
  std::string url;
  std::string api_key;
  std::string organization;
  std::string operator_socket;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v.with_default("url", s.url);
    v.with_default("api_key", s.api_key);
    v.with_default("organization", s.organization);
    v.with_default("operator_socket", s.operator_socket);
  }
};

struct Target {
  http::Url base;         // its target is a path prefix without "/" at the end
  std::string api_key;    // empty for the operator
  std::string unix_path;  // of the operator's socket; else empty
};

Result<Target> find_server(const Session& session);
// --socket, "operator_socket" of dev.json, else <data directory>/operator.sock, else that of a
// process of a cluster: <data directory>/<role>/operator.sock.
Result<Target> find_operator(const Session& session);

}  // namespace sandtrail::cli
