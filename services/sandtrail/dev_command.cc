// SPDX-License-Identifier: Apache-2.0
#include "dev_command.h"

#include <cstdio>

#include "base/file.h"
#include "codec/reflect.h"
#include "data_directory.h"
#include "json_file.h"
#include "obs/log.h"
#include "serve_command.h"

namespace sandtrail {
namespace {

constexpr std::size_t kDevFileBytesMax = 64 * 1024;
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
  if (!server.hosts_join_at().empty()) {
    std::printf("  hosts      join at %s\n", server.hosts_join_at().c_str());
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

Result<ProcessPlan> plan_for(const ServeOptions& options) {
  ConfigSources sources = sources_of(options);
  if (!options.data_dir.empty()) {
    sources.arguments.push_back({"--data-dir", "data_dir", options.data_dir});
  }
  ProcessPlan plan;
  plan.verb = "dev";
  plan.roles = all_roles();
  ST_ASSIGN(plan.config, load_config(options.config_file, sources));
  plan.directory = plan.config.data_dir;
  plan.makes_keys = true;
  return plan;
}

Status greet(ServerProcess& server, const ProcessPlan& plan) {
  ST_ASSIGN(const DataDirectory directory, DataDirectory::open(plan.directory));
  ST_ASSIGN(const DevFile file, dev_file(server, directory));
  print_welcome(server, directory);
  log_info("serving", {{"url", server.url()}, {"organization", file.organization}});
  return {};
}

}  // namespace

int dev_main(const std::vector<std::string>& arguments) {
  ServeVerb verb;
  verb.name = "dev";
  verb.description =
      "Examples:\n"
      "  sandtrail dev\n"
      "  sandtrail dev --data-dir ./data --listen 127.0.0.1:9000\n"
      "  sandtrail dev --log kafka://127.0.0.1:9092\n\n"
      "Runs all roles in one process, on the embedded log unless told otherwise, until Ctrl-C. "
      "The\n"
      "first start makes an organisation and an API key and prints a request that works.";
  verb.data_dir = "Where everything is kept";
  verb.plan = plan_for;
  verb.greet = greet;
  verb.ended_early = 3;
  return serve_main(verb, arguments);
}

}  // namespace sandtrail
