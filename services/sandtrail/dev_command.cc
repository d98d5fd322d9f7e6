// SPDX-License-Identifier: Apache-2.0
#include "dev_command.h"

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "codec/reflect.h"
#include "config/config.h"
#include "data_directory.h"
#include "json_file.h"
#include "obs/log.h"
#include "server_process.h"

namespace sandtrail {
namespace {

constexpr std::size_t kDevFileBytesMax = 64 * 1024;
constexpr Millis kReadyDeadline = minutes(10);
constexpr Millis kOperatorDeadline = seconds(30);

struct DevFile {
  std::string url;
  std::string api_key;
  std::string organization;
  std::string callback_secret;
  std::string operator_socket;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("url", s.url);
    v("api_key", s.api_key);
    v("organization", s.organization);
    v("callback_secret", s.callback_secret);
    v("operator_socket", s.operator_socket);
  }
};

// Nothing secret may end in a core dump.
void forbid_core_dumps() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

sigset_t block_end_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

Result<DevFile> create_organization(ServerProcess& server) {
  http::Request request;
  request.method = "POST";
  request.target = request.path = "/operator/organizations";
  request.fields.add("Content-Type", "application/json");
  request.body = R"({"name": "dev"})";
  ST_ASSIGN(const http::Response response,
            server.ask_operator(std::move(request), kOperatorDeadline));
  auto parsed = json::parse(response.body);
  if (response.status != 201 || !parsed.ok() || !parsed->is_object()) {
    return Error{ErrorCode::internal,
                 "the first organisation could not be created: " + response.body, ""};
  }
  const json::object& answer = parsed->get_object();
  DevFile file;
  file.api_key = json::text_at(answer, "api_key");
  file.callback_secret = json::text_at(answer, "callback_secret");
  const json::value* organization = answer.if_contains("organization");
  if (organization != nullptr && organization->is_object()) {
    file.organization = json::text_at(organization->get_object(), "id");
  }
  return file;
}

Result<DevFile> dev_file(ServerProcess& server, const DataDirectory& directory) {
  const std::string path = directory.in("dev.json");
  DevFile file;
  const auto stored = read_secret_file(path, kDevFileBytesMax);
  if (stored.ok()) {
    ST_ASSIGN(file,
              parse_json_file<DevFile>(
                  path, *stored,
                  "restore it from a backup, or remove it: another organisation is then made"));
  } else if (stored.error().code == ErrorCode::not_found) {
    ST_ASSIGN(file, create_organization(server));
  } else {
    return stored.error();
  }
  file.url = server.url();
  file.operator_socket = directory.in("operator.sock");
  ST_CHECK_OK(write_file_durably(path, json::pretty(to_json(file)) + "\n", 0600));
  return file;
}

// For the person who started it. The key itself is not shown: output ends up in logs.
void print_welcome(const ServerProcess& server, const DataDirectory& directory) {
  std::printf("Sandtrail is ready.\n\n");
  std::printf("  API        %s\n", server.url().c_str());
  if (!server.admin_url().empty()) {
    std::printf("  health     %s/readyz\n", server.admin_url().c_str());
  }
  std::printf("  data       %s\n", directory.path().c_str());
  std::printf("  key        in %s\n\n", directory.in("dev.json").c_str());
  std::printf("Try it:\n\n");
  std::printf("  KEY=$(sed -n 's/.*\"api_key\": \"\\(.*\\)\".*/\\1/p' '%s')\n",
              directory.in("dev.json").c_str());
  std::printf("  curl -sS %s/v1/executions -H \"Authorization: Bearer $KEY\" \\\n",
              server.url().c_str());
  std::printf("    -H 'Content-Type: application/json' -H 'Prefer: wait=10' \\\n");
  std::printf("    -d '{\"language\": \"python\", \"code\": \"print(6 * 7)\"}'\n\n");
  std::printf("or: sandtrail run --data-dir %s -c 'print(6 * 7)'\n", directory.path().c_str());
  std::printf("Stop with Ctrl-C.\n");
  std::fflush(stdout);
}

Status serve_until_signal(const Config& config, const sigset_t& signals) {
  ST_ASSIGN(auto server, ServerProcess::start(config));
  const timespec at_once{};
  const auto stopped = [&] { return ::sigtimedwait(&signals, nullptr, &at_once) > 0; };
  ST_CHECK_OK(server->wait_until_ready(kReadyDeadline, stopped));
  ST_ASSIGN(const DataDirectory directory, DataDirectory::open(config.data_dir));
  ST_ASSIGN(const DevFile file, dev_file(*server, directory));
  print_welcome(*server, directory);
  log_info("serving", {{"url", server->url()}, {"organization", file.organization}});
  int signal = 0;
  ::sigwait(&signals, &signal);
  log_info("stopping", {{"signal", signal}});
  return {};
}

struct DevOptions {
  std::string data_dir;
  std::string listen;
  std::string config_file;
};

void describe(CLI::App& app, DevOptions& options) {
  app.description(
      "Examples:\n"
      "  sandtrail dev\n"
      "  sandtrail dev --data-dir ./data --listen 127.0.0.1:9000\n\n"
      "Runs all roles in one process on the embedded log, until Ctrl-C. The first start makes an\n"
      "organisation and an API key and prints a request that works.");
  app.add_option("--data-dir", options.data_dir, "Where everything is kept");
  app.add_option("--listen", options.listen, "ADDRESS:PORT of the API (default 127.0.0.1:8080)");
  app.add_option("--config", options.config_file, "TOML file; see schemas/config.md");
}

Result<Config> configure(const DevOptions& options) {
  ConfigSources sources;
  sources.environment = process_environment();
  if (!options.data_dir.empty()) {
    std::error_code ignored;
    const auto absolute = std::filesystem::absolute(options.data_dir, ignored);
    sources.arguments.push_back({"--data-dir", "data_dir", absolute.lexically_normal().string()});
  }
  if (!options.listen.empty()) {
    sources.arguments.push_back({"--listen", "server.listen", options.listen});
  }
  return load_config(options.config_file, sources);
}

}  // namespace

int dev_main(const std::vector<std::string>& arguments) {
  CLI::App app;
  app.name("sandtrail dev");
  DevOptions options;
  describe(app, options);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const auto config = configure(options);
  if (!config.ok()) {
    std::fprintf(stderr, "sandtrail dev: %s\n", config.error().text().c_str());
    return 2;
  }
  forbid_core_dumps();
  const sigset_t signals = block_end_signals();
  const SystemClock clock;
  LogOptions log_options;
  log_options.level = config->logging.level;
  log_options.format = config->logging.format;
  const Logging logging(log_options, clock);
  const Status status = serve_until_signal(*config, signals);
  if (status.ok()) return 0;
  std::fprintf(stderr, "sandtrail dev: %s\n", status.error().text().c_str());
  return 3;
}

}  // namespace sandtrail
