// SPDX-License-Identifier: Apache-2.0
#include "credentials.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/file.h"
#include "base/limits.h"
#include "text.h"

namespace sandtrail {
namespace {

constexpr std::string_view kFileHint = "see objects.credentials_file";

Error invalid(std::string message) {
  return {ErrorCode::invalid_argument, std::move(message), std::string(kFileHint)};
}

bool is_sendable(std::string_view text, std::string_view without) {
  return text.size() <= limits::kS3SecretBytesMax &&
         std::all_of(text.begin(), text.end(), [without](char c) {
           return c > 0x20 && c < 0x7f && without.find(c) == std::string_view::npos;
         });
}

// One section's three keys; the values are views into the file's text.
struct Section {
  static constexpr std::array<std::string_view, 3> kNames = {
      "aws_access_key_id", "aws_secret_access_key", "aws_session_token"};
  std::array<std::optional<std::string_view>, 3> values;

  // False if the key was there already.
  bool set(std::string_view name, std::string_view value) {
    const auto at = std::find(kNames.begin(), kNames.end(), s3::lower(name));
    if (at == kNames.end()) return true;
    auto& slot = values[static_cast<std::size_t>(at - kNames.begin())];
    if (slot) return false;
    slot = value;
    return true;
  }
};

// Reads the section [profile]. nullopt: there is none.
Result<std::optional<Section>> find_section(std::string_view text, const std::string& file,
                                            const std::string& profile) {
  std::optional<Section> found;
  bool inside = false;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view whole = text.substr(0, end);
    const std::string_view line = s3::trimmed(whole);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto wrong = [&](const char* what) {
      return invalid(file + ":" + std::to_string(number) + ": " + what);
    };
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      if (line.back() != ']') return wrong("a section without its ']'");
      inside = s3::trimmed(line.substr(1, line.size() - 2)) == profile;
      if (inside && found) return wrong("the profile is there twice");
      if (inside) found.emplace();
      continue;
    }
    // Indented lines continue a setting of other programs.
    if (!inside || whole.front() == ' ' || whole.front() == '\t') continue;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return wrong("neither a section nor 'name = value'");
    if (!found->set(s3::trimmed(line.substr(0, equals)), s3::trimmed(line.substr(equals + 1)))) {
      return wrong("a key is there twice");
    }
  }
  return found;
}

Result<S3Credentials> credentials_of(std::string_view id, std::string_view secret,
                                     std::string_view token) {
  S3Credentials out{std::string(id), SecretBytes(secret), SecretBytes(token)};
  ST_CHECK_OK(s3::check_credentials(out));
  return out;
}

}  // namespace

Result<S3Credentials> parse_s3_credentials(std::string_view text, const std::string& file,
                                           const std::string& profile) {
  ST_ASSIGN(const std::optional<Section> section, find_section(text, file, profile));
  if (!section) return invalid(file + ": no profile [" + profile + "]");
  const auto& [id, secret, token] = section->values;
  if (!id || !secret) {
    return invalid(file + ": profile [" + profile +
                   "] lacks aws_access_key_id or aws_secret_access_key");
  }
  return credentials_of(*id, *secret, token.value_or(std::string_view()));
}

Result<S3Credentials> read_s3_credentials(const std::string& file, const std::string& profile) {
  ST_ASSIGN(Bytes text, read_secret_file(file, limits::kS3CredentialsFileBytesMax));
  auto credentials = parse_s3_credentials(text, file, profile);
  wipe(text);
  return credentials;
}

Result<S3Credentials> s3_credentials_from(const std::map<std::string, std::string>& environment) {
  const auto value = [&](const char* name) {
    const auto at = environment.find(name);
    return at == environment.end() ? std::string_view() : std::string_view(at->second);
  };
  const std::string_view id = value("AWS_ACCESS_KEY_ID");
  const std::string_view secret = value("AWS_SECRET_ACCESS_KEY");
  if (id.empty() || secret.empty()) {
    return Error{ErrorCode::invalid_argument, "no credentials for the S3 service",
                 "set objects.credentials_file, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"};
  }
  return credentials_of(id, secret, value("AWS_SESSION_TOKEN"));
}

namespace s3 {

Status check_credentials(const S3Credentials& credentials) {
  const auto& [id, secret, token] = credentials;
  if (id.empty() || !is_sendable(id, "/,")) return invalid("the access key id is malformed");
  if (secret.empty() || !is_sendable(secret.view(), "")) {
    return invalid("the secret access key is malformed");
  }
  if (!is_sendable(token.view(), "")) return invalid("the session token is malformed");
  return {};
}

}  // namespace s3
}  // namespace sandtrail
