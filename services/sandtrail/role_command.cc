// SPDX-License-Identifier: Apache-2.0
#include "role_command.h"

#include <cstdio>

#include "serve_command.h"

namespace sandtrail {
namespace {

constexpr std::uint16_t kAdminPortFirst = 8081;
constexpr std::uint16_t kLauncherPort = 7080;

std::string work_of(ServerRole role) {
  switch (role) {
    case ServerRole::gateway:
      return "serve the API";
    case ServerRole::launcher:
      return "admit executions and place them on hosts";
    case ServerRole::billing:
      return "publish rate cards and settle what ended";
    case ServerRole::retention:
      return "erase payloads and destroy their keys";
    case ServerRole::webhooks:
      return "tell receivers of the end of executions";
    case ServerRole::auditor:
      return "sequence the audit log and sign checkpoints";
  }
  return "";
}

std::string description_of(ServerRole role) {
  const std::string verb = "sandtrail " + std::string(name_of(role));
  std::string out = "Examples:\n  " + verb + " --log kafka://127.0.0.1:9092\n  " + verb +
                    " --config /etc/sandtrail.toml\n\n";
  if (role == ServerRole::webhooks) {
    out += "Endpoints and deliveries are shown by: sandtrail webhooks ls|add|rm|deliveries\n\n";
  }
  return out + "One of the processes of a cluster over Kafka (" + work_of(role) +
         "), until Ctrl-C.\nAny number of each may run, and they start in any order: until the " +
         "brokers answer, a process\nwaits and says so. To run all roles in one process: " +
         "sandtrail dev.";
}

// So that the processes of one machine need no ports in their settings.
Config defaults_of(ServerRole role) {
  Config out;
  out.server.admin_listen.port =
      static_cast<std::uint16_t>(kAdminPortFirst + static_cast<int>(role));
  out.launcher.listen = {"127.0.0.1", kLauncherPort};
  out.launcher.builtin_host = false;
  return out;
}

Result<ProcessPlan> plan_for(ServerRole role, const ServeOptions& options) {
  ConfigSources sources = sources_of(options);
  sources.defaults = defaults_of(role);
  ProcessPlan plan;
  plan.verb = name_of(role);
  plan.roles = {role};
  ST_ASSIGN(plan.config, load_config(options.config_file, sources));
  if (plan.config.log.embedded()) {
    return Error{ErrorCode::invalid_argument,
                 "the embedded log has one writing process, and this is one role of several",
                 "share a log on Kafka (--log kafka://HOST:PORT, or log.url in the settings), or "
                 "run all roles in one process: sandtrail dev"};
  }
  plan.directory =
      options.data_dir.empty() ? plan.config.data_dir + "/" + plan.verb : options.data_dir;
  return plan;
}

Status greet(const ServerProcess& server, const ProcessPlan& plan) {
  std::printf("sandtrail %s is ready.\n\n", plan.verb.c_str());
  if (!server.url().empty()) std::printf("  API        %s\n", server.url().c_str());
  if (!server.admin_url().empty()) {
    std::printf("  health     %s/readyz\n", server.admin_url().c_str());
  }
  if (!server.hosts_join_at().empty()) {
    std::printf("  hosts      join at %s\n", server.hosts_join_at().c_str());
  }
  std::printf("  log        %s\n", log_name(plan.config).c_str());
  std::printf("  data       %s\n\n", plan.directory.c_str());
  std::printf("Stop with Ctrl-C.\n");
  std::fflush(stdout);
  return {};
}

}  // namespace

int role_main(ServerRole role, const std::vector<std::string>& arguments) {
  ServeVerb verb;
  verb.name = name_of(role);
  verb.description = description_of(role);
  verb.data_dir = "Where this process keeps what is its own (default: its role in data_dir)";
  verb.has_api = role == ServerRole::gateway;
  verb.plan = [role](const ServeOptions& options) { return plan_for(role, options); };
  verb.greet = greet;
  return serve_main(verb, arguments);
}

std::vector<std::pair<std::string, std::string>> role_verbs() {
  std::vector<std::pair<std::string, std::string>> out;
  for (const ServerRole role : all_roles()) {
    out.emplace_back(std::string(name_of(role)), "over Kafka: " + work_of(role));
  }
  return out;
}

}  // namespace sandtrail
