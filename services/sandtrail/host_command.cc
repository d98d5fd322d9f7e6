// SPDX-License-Identifier: Apache-2.0
#include "host_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "command_line.h"
#include "config/config.h"
#include "host_process.h"
#include "obs/log.h"
#include "serve_command.h"

namespace sandtrail {
namespace {

constexpr std::uint16_t kAdminPort = 8087;  // after those of the roles

struct HostOptions {
  std::vector<std::string> join;
  std::string data_dir;
  std::string listen;
  std::string address;
  std::string admin_listen;
  std::string slots;
  std::string config_file;
};

void describe(CLI::App& app, HostOptions& options) {
  app.name("sandtrail host");
  app.description(
      "Examples:\n"
      "  sandtrail host --join 127.0.0.1:7080\n"
      "  sandtrail host --join a.example:7080,b.example:7080 --config /etc/sandtrail.toml\n\n"
      "Runs executions for launchers on other machines, until Ctrl-C. It joins every launcher,\n"
      "needs no access to the log, and keeps results until they are applied. Without\n"
      "certificates (cluster.ca_file, cert_file, key_file) launchers must be on loopback.");
  app.add_option("--join", options.join, "HOST:PORT of the launchers (setting cluster.launchers)")
      ->delimiter(',');
  app.add_option("--data-dir", options.data_dir,
                 "Where this host keeps its name and epoch (default: host in data_dir)");
  app.add_option("--listen", options.listen, "ADDRESS:PORT of its data plane, for gateways");
  app.add_option("--address", options.address, "HOST:PORT by which gateways reach that");
  app.add_option("--admin-listen", options.admin_listen,
                 "ADDRESS:PORT of health and metrics, or off");
  app.add_option("--slots", options.slots, "Executions at once; 0: one for each core");
  app.add_option("--config", options.config_file, "TOML file; see schemas/config.md");
}

Result<Config> configure(const HostOptions& options) {
  ConfigSources sources;
  sources.environment = process_environment();
  sources.defaults.server.admin_listen = {"127.0.0.1", kAdminPort};
  const auto add = [&sources](const char* option, const char* setting, const std::string& value) {
    if (!value.empty()) sources.arguments.push_back({option, setting, value});
  };
  std::string launchers;
  for (const std::string& launcher : options.join) {
    launchers += (launchers.empty() ? "" : ",") + launcher;
  }
  add("--join", "cluster.launchers", launchers);
  add("--listen", "host.listen", options.listen);
  add("--address", "host.address", options.address);
  add("--admin-listen", "server.admin_listen", options.admin_listen);
  add("--slots", "executions.slots", options.slots);
  ST_ASSIGN(Config config, load_config(options.config_file, sources));
  if (config.cluster.launchers.empty()) {
    return Error{ErrorCode::invalid_argument, "there is no launcher to join",
                 "name them: --join HOST:PORT, or cluster.launchers in the settings"};
  }
  return config;
}

std::string directory_for(const Config& config, const HostOptions& options) {
  if (options.data_dir.empty()) return config.data_dir + "/host";
  return absolute_path(options.data_dir);
}

Status run(const Config& config, const std::string& directory, const sigset_t& signals) {
  ST_ASSIGN(auto host, HostProcess::start(config, directory));
  std::printf("sandtrail host is ready.\n\n");
  for (const std::string& launcher : config.cluster.launchers) {
    std::printf("  joins      %s\n", launcher.c_str());
  }
  if (!host->admin_url().empty())
    std::printf("  health     %s/readyz\n", host->admin_url().c_str());
  if (!host->data_address().empty()) std::printf("  output     %s\n", host->data_address().c_str());
  std::printf("  slots      %d\n", host->slots());
  std::printf("  data       %s\n\nStop with Ctrl-C.\n", directory.c_str());
  std::fflush(stdout);
  int signal = 0;
  ::sigwait(&signals, &signal);
  log_info("stopping", {{"signal", signal}});
  host->stop();
  return {};
}

int refuse(const Error& error, int code) {
  std::fprintf(stderr, "sandtrail host: %s\n", error.text().c_str());
  return code;
}

}  // namespace

int host_main(const std::vector<std::string>& arguments) {
  CLI::App app;
  HostOptions options;
  describe(app, options);
  if (const auto code = read_command_line(app, arguments)) return *code;
  const auto config = configure(options);
  if (!config.ok()) return refuse(config.error(), 2);
  forbid_core_dumps();  // keys of executions are in memory
  const sigset_t signals = block_end_signals();
  const SystemClock clock;
  LogOptions log_options;
  log_options.level = config->logging.level;
  log_options.format = config->logging.format;
  const Logging logging(log_options, clock);
  const Status status = run(*config, directory_for(*config, options), signals);
  return status.ok() ? 0 : refuse(status.error(), 3);
}

}  // namespace sandtrail
