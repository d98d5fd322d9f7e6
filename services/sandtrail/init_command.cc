// SPDX-License-Identifier: Apache-2.0
#include "init_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "command_line.h"
#include "key_files.h"
#include "process_plan.h"

namespace sandtrail {
namespace {

struct InitOptions {
  std::string config_file;
  std::string data_dir;
};

void describe(CLI::App& app, InitOptions& options) {
  app.name("sandtrail init");
  app.description(
      "Examples:\n"
      "  sandtrail init --config /etc/sandtrail.toml\n"
      "  sandtrail init --data-dir /var/lib/sandtrail\n\n"
      "Makes the keys that all processes of a cluster share: the root key, which wraps every "
      "other\n"
      "key, and the key that signs the audit log under the name in audit.origin. What is there\n"
      "already stays as it is. (`sandtrail dev` makes its own.)");
  app.add_option("--config", options.config_file, "TOML file; see schemas/config.md");
  app.add_option("--data-dir", options.data_dir, "Where they are kept (default: data_dir)");
}

Result<Config> configure(const InitOptions& options) {
  ConfigSources sources;
  sources.environment = process_environment();
  if (!options.data_dir.empty()) {
    sources.arguments.push_back({"--data-dir", "data_dir", absolute_path(options.data_dir)});
  }
  return load_config(options.config_file, sources);
}

void say(const std::string& path, bool was_there, const char* use) {
  std::printf("%s  %s (%s)\n", was_there ? "there already" : "made         ", path.c_str(), use);
}

// What to do with what was made.
void advise(const Config& config, const NoteSigner& signer) {
  std::printf("\nThe public key of the audit log %s, for those who verify checkpoints:\n%s\n",
              config.audit.origin.c_str(), signer.verifier().text().c_str());
  std::printf(
      "\nKeep a copy of the keys in a safe place: without the root key nothing that is sealed can\n"
      "be read. Processes on other machines get copies, mode 0600, where keys.root_file and\n"
      "audit.key_file of their settings say.\n");
}

Status make_keys(const Config& config) {
  std::error_code ignored;
  const auto exists = [&](const std::string& path) {
    return std::filesystem::exists(path, ignored);
  };
  SystemRandom random;
  ST_CHECK_OK(make_directories(config.data_dir, 0700));
  const std::string root = root_key_path(config);
  const bool had_root = exists(root);
  // What was kept of a key tells that there was one: another must not take its place.
  const bool lost = exists(config.data_dir + "/root.check");
  ST_CHECK_OK(open_root_key(root, lost ? MissingKey::lost : MissingKey::make, random));
  say(root, had_root, "every process but billing and auditor");
  const std::string audit = audit_key_path(config);
  const bool had_audit = exists(audit);
  ST_ASSIGN(const NoteSigner signer,
            open_audit_key(audit, config.audit.origin, MissingKey::make, random));
  say(audit, had_audit, "auditor");
  say(public_half_of(audit), had_audit, "verifiers: it is no secret");
  advise(config, signer);
  return {};
}

}  // namespace

int init_main(const std::vector<std::string>& arguments) {
  CLI::App app;
  InitOptions options;
  describe(app, options);
  if (const auto code = read_command_line(app, arguments)) return *code;
  const auto config = configure(options);
  const Status status = config.ok() ? make_keys(*config) : Status(config.error());
  if (status.ok()) return 0;
  std::fprintf(stderr, "sandtrail init: %s\n", status.error().text().c_str());
  return config.ok() ? 3 : 2;
}

}  // namespace sandtrail
