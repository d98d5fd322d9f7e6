// SPDX-License-Identifier: Apache-2.0
#include "target.h"

#include <filesystem>

#include "base/file.h"
#include "base/limits.h"
#include "codec/reflect.h"

namespace sandtrail::cli {
namespace {

// Nullopt if there is none.
Result<std::optional<DevFile>> read_dev_file(const Session& session) {
  const auto directory = session.data_directory();
  if (!directory.ok()) return std::optional<DevFile>();
  const std::string path = *directory + "/dev.json";
  auto text = read_secret_file(path, limits::kConfigBytesMax);
  if (!text.ok() && text.error().code == ErrorCode::not_found) return std::optional<DevFile>();
  if (!text.ok()) return text.error();
  const auto parsed = json::parse(*text);
  auto file = parsed.ok() ? from_json<DevFile>(*parsed) : parsed.error();
  if (!file.ok()) {
    return Error{ErrorCode::corrupt, path + ": " + file.error().message,
                 "restore it from a backup, or remove it and start `sandtrail dev`"};
  }
  return std::optional<DevFile>(std::move(file).value());
}

std::string first_line(std::string text) {
  const auto end = text.find_first_of("\r\n");
  if (end != std::string::npos) text.resize(end);
  return text;
}

Result<std::string> find_key(const Session& session, const std::optional<DevFile>& dev,
                             const std::string& url) {
  if (!session.globals.key_file.empty()) {
    ST_ASSIGN(std::string text,
              read_secret_file(session.globals.key_file, limits::kConfigBytesMax));
    return first_line(std::move(text));
  }
  if (auto key = session.variable("SANDTRAIL_API_KEY"); !key.empty()) return key;
  // The key of the local server must not go to another one.
  if (dev && dev->url == url && !dev->api_key.empty()) return dev->api_key;
  return Error{ErrorCode::invalid_argument, "there is no API key for " + url,
               "set SANDTRAIL_API_KEY, or give --key-file"};
}

// That of the server there, else of the first process of a cluster that keeps its own things below.
std::string socket_in(const std::string& directory) {
  constexpr std::string_view kSocket = "/operator.sock";
  constexpr std::string_view kRoles[] = {"",           "/gateway",  "/launcher", "/billing",
                                         "/retention", "/webhooks", "/auditor"};
  std::error_code ignored;
  for (const std::string_view role : kRoles) {
    std::string path = directory + std::string(role) + std::string(kSocket);
    if (std::filesystem::exists(path, ignored)) return path;
  }
  return directory + std::string(kSocket);
}

}  // namespace

Result<Target> find_server(const Session& session) {
  ST_ASSIGN(const auto dev, read_dev_file(session));
  std::string url = session.globals.url;
  if (url.empty()) url = session.variable("SANDTRAIL_URL");
  if (url.empty() && dev) url = dev->url;
  if (url.empty()) {
    return Error{ErrorCode::invalid_argument, "no server is known",
                 "start one with `sandtrail dev`, or give --url or set SANDTRAIL_URL"};
  }
  auto parsed = http::parse_url(url);
  if (!parsed.ok()) {
    return Error{ErrorCode::invalid_argument, "the server's URL: " + parsed.error().message,
                 "write it like http://127.0.0.1:8080"};
  }
  Target target;
  target.base = std::move(parsed).value();
  while (target.base.target.ends_with('/')) target.base.target.pop_back();
  ST_ASSIGN(target.api_key, find_key(session, dev, url));
  return target;
}

Result<Target> find_operator(const Session& session) {
  Target target;
  target.base.scheme = "http";
  target.base.host = "localhost";
  target.base.port = 80;
  target.unix_path = session.globals.socket;
  if (target.unix_path.empty()) {
    ST_ASSIGN(const std::string directory, session.data_directory());
    ST_ASSIGN(const auto dev, read_dev_file(session));
    target.unix_path =
        dev && !dev->operator_socket.empty() ? dev->operator_socket : socket_in(directory);
  }
  return target;
}

}  // namespace sandtrail::cli
