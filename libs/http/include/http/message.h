// SPDX-License-Identifier: Apache-2.0
// HTTP as std types. No header of the library behind it shows.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace sandtrail::http {

// True if the names are equal but for ASCII case (RFC 9110 section 5.1).
bool same_field_name(std::string_view a, std::string_view b);
// A token (RFC 9110 section 5.6.2), not empty. Methods have the same form.
bool valid_field_name(std::string_view name);
// Printable ASCII, space and tab: what we send, and all we accept (no obs-text, no line breaks).
bool valid_field_value(std::string_view value);

// Field names are compared without case (RFC 9110 section 5.1); order is kept.
class Fields {
 public:
  void add(std::string name, std::string value);
  void set(std::string name, std::string value);                     // replaces all of that name
  std::optional<std::string_view> get(std::string_view name) const;  // the first
  bool has(std::string_view name) const { return get(name).has_value(); }
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// Who a peer is, by the certificate whose key it proved to hold. Both are 1 to 64 printable ASCII
// characters (RFC 5280 appendix A.1: ub-organizational-unit-name, ub-common-name).
struct PeerIdentity {
  std::string role;  // the subject's one OU
  std::string name;  // the subject's one CN
  bool operator==(const PeerIdentity&) const = default;
};

struct Request {
  std::string method;  // "GET"
  std::string target;  // as sent: path and query
  std::string path;    // percent-decoding not applied
  std::string query;   // after '?', not decoded
  Fields fields;
  Bytes body;
  std::string peer_address;          // of the connection, textual, without port
  std::optional<PeerIdentity> peer;  // with ServerOptions::tls; nullopt on a plain connection
};

struct Response {
  int status = 200;
  Fields fields;  // Content-Length, Date and Connection are added behind
  Bytes body;
};

// invalid_argument unless `path` can be that of a unix socket: absolute, without NUL, at most
// limits::kUnixPathBytesMax bytes.
Status check_unix_path(std::string_view path);

// The registered reason phrase, or "" (RFC 9110 section 15).
std::string_view reason_phrase(int status);

// "a=1&b=x%20y" in order, decoded; nullopt if an escape is malformed or a value is not UTF-8.
// As in forms, '+' is a space, a piece without '=' has the value "", and empty pieces are skipped.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);
// Percent-decodes one path segment ('+' stays); nullopt as above.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace sandtrail::http
