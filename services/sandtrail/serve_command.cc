// SPDX-License-Identifier: Apache-2.0
#include "serve_command.h"

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>

#include "command_line.h"
#include "config/config.h"
#include "obs/log.h"

namespace sandtrail {
namespace {

EndAsked end_by(const sigset_t& signals) {
  // Once taken, a signal is gone: whoever asks later is told as well.
  return [&signals, ended = false](Millis at_most) mutable {
    const timespec span{static_cast<time_t>(at_most.count / 1000),
                        static_cast<long>(at_most.count % 1000) * 1'000'000};
    if (ended) return true;
    const int signal = ::sigtimedwait(&signals, nullptr, &span);
    ended = signal > 0;
    if (ended) log_info("stopping", {{"signal", signal}});
    return ended;
  };
}

Status serve_until(const ServeVerb& verb, const ProcessPlan& plan, const EndAsked& end_asked) {
  ST_ASSIGN(auto server, ServerProcess::open(plan));
  log_info("starting", {{"verb", verb.name},
                        {"log", log_name(plan.config)},
                        {"health", server->admin_url()},
                        {"data", plan.directory}});
  ST_CHECK_OK(server->get_ready(end_asked));
  ST_CHECK_OK(verb.greet(*server, plan));
  server->serve(end_asked);
  return {};
}

void describe(CLI::App& app, const ServeVerb& verb, ServeOptions& options) {
  app.name("sandtrail " + verb.name);
  app.description(verb.description);
  app.add_option("--log", options.log, "embedded, or kafka://HOST:PORT,… (setting log.url)");
  app.add_option("--config", options.config_file, "TOML file; see schemas/config.md");
  app.add_option("--data-dir", options.data_dir, verb.data_dir);
  if (verb.has_api) {
    app.add_option("--listen", options.listen, "ADDRESS:PORT of the API (default 127.0.0.1:8080)");
  }
  app.add_option("--admin-listen", options.admin_listen,
                 "ADDRESS:PORT of health and metrics, or off");
}

int refuse(const ServeVerb& verb, const Error& error, int code) {
  std::fprintf(stderr, "sandtrail %s: %s\n", verb.name.c_str(), error.text().c_str());
  return code;
}

}  // namespace

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

ConfigSources sources_of(const ServeOptions& options) {
  ConfigSources sources;
  sources.environment = process_environment();
  const auto add = [&sources](const char* option, const char* setting, const std::string& value) {
    if (!value.empty()) sources.arguments.push_back({option, setting, value});
  };
  add("--log", "log.url", options.log);
  add("--listen", "server.listen", options.listen);
  add("--admin-listen", "server.admin_listen", options.admin_listen);
  return sources;
}

int serve_main(const ServeVerb& verb, const std::vector<std::string>& arguments) {
  CLI::App app;
  ServeOptions options;
  describe(app, verb, options);
  if (const auto code = read_command_line(app, arguments)) return *code;
  if (!options.data_dir.empty()) options.data_dir = absolute_path(options.data_dir);
  const auto plan = verb.plan(options);
  if (!plan.ok()) return refuse(verb, plan.error(), 2);
  forbid_core_dumps();
  const sigset_t signals = block_end_signals();
  const SystemClock clock;
  LogOptions log_options;
  log_options.level = plan->config.logging.level;
  log_options.format = plan->config.logging.format;
  const Logging logging(log_options, clock);
  const Status status = serve_until(verb, *plan, end_by(signals));
  if (status.ok()) return 0;
  const bool ended_early = status.error().code == ErrorCode::cancelled;
  return refuse(verb, status.error(), ended_early ? verb.ended_early : 3);
}

}  // namespace sandtrail
