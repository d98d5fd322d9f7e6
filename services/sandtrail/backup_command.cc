// SPDX-License-Identifier: Apache-2.0
#include "backup_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "backup.h"
#include "command_line.h"
#include "config/config.h"

namespace sandtrail {
namespace {

constexpr int kExitDifferent = 1;
constexpr int kExitUsage = 2;
constexpr int kExitFailure = 3;
constexpr std::int64_t kShowEveryUs = 250'000;

struct BackupOptions {
  std::string directory;
  std::string keys_directory;
  std::string data_dir;
  std::string config_file;
  bool keys = false;
  bool json = false;
};

// The data directory of the settings; only an embedded log is in one.
Result<std::string> data_directory_of(const BackupOptions& options) {
  ConfigSources sources;
  sources.environment = process_environment();
  if (!options.data_dir.empty()) {
    sources.arguments.push_back({"--data-dir", "data_dir", absolute_path(options.data_dir)});
  }
  ST_ASSIGN(const Config config, load_config(options.config_file, sources));
  if (config.log.embedded()) return config.data_dir;
  return Error{ErrorCode::invalid_argument, "the log is over Kafka, which keeps its own copies",
               "for one more, mirror its topics, or copy them: sandtrail log copy"};
}

OnCopyProgress progress_line(const char* doing, const Clock& clock) {
  if (::isatty(STDERR_FILENO) != 1) return nullptr;
  return [doing, &clock, shown_us = std::int64_t{0}](const CopyProgress& at) mutable {
    const std::int64_t now_us = clock.monotonic_us();
    if (now_us - shown_us < kShowEveryUs) return;
    shown_us = now_us;
    std::fprintf(stderr, "\r\x1b[K%s %s: %lld of %lld records\r", doing, at.where.text().c_str(),
                 static_cast<long long>(at.records), static_cast<long long>(at.total));
  };
}

void print(const BackupFile& file, bool as_json) {
  if (as_json) {
    std::printf("%s\n", json::print(to_json(file)).c_str());
    return;
  }
  if (::isatty(STDERR_FILENO) == 1) std::fputs("\x1b[K", stderr);
  std::printf("made      %s\n", rfc3339(file.made).c_str());
  if (file.kind == kBackupOfKeys) {
    std::printf("keys      %lld\n", static_cast<long long>(file.keys));
    return;
  }
  std::int64_t records = 0;
  for (const BackupFile::Part& part : file.parts) records += part.high - part.low;
  std::printf("log       %s\n", file.identity.c_str());
  std::printf("records   %lld in %zu partitions\n", static_cast<long long>(records),
              file.parts.size());
  std::printf("objects   %lld, %lld bytes\n", static_cast<long long>(file.objects),
              static_cast<long long>(file.object_bytes));
}

int refuse(const char* verb, const Error& error) {
  std::fprintf(stderr, "sandtrail %s: %s\n", verb, error.told().c_str());
  return error.code == ErrorCode::invalid_argument ? kExitUsage : kExitFailure;
}

void common_options(CLI::App& app, BackupOptions& options) {
  app.add_option("--data-dir", options.data_dir, "The server's data directory");
  app.add_flag("--json", options.json, "print JSON");
}

void describe_backup(CLI::App& app, BackupOptions& options) {
  app.name("sandtrail backup");
  app.description(
      "Examples:\n"
      "  sandtrail backup --to /backups/2026-11-21\n"
      "  sandtrail backup --keys --to /backups/keys-2026-11-21\n\n"
      "Copies the embedded log, what was folded from it and large payloads to an empty directory,\n"
      "also while the server runs. Data keys are not in it: with --keys they, and only they, are\n"
      "copied; do that afterwards, so that every payload in the log has its key. No backup holds\n"
      "root.key and audit.key: keep a copy of them in a safe place.");
  common_options(app, options);
  app.add_option("--to", options.directory, "An empty directory, or one to be made")->required();
  app.add_option("--config", options.config_file, "TOML file; see schemas/config.md");
  app.add_flag("--keys", options.keys, "The data keys instead");
}

void describe_restore(CLI::App& app, BackupOptions& options) {
  app.name("sandtrail restore");
  app.description(
      "Examples:\n"
      "  sandtrail restore --from /backups/2026-11-21 --keys /backups/keys-2026-11-21 \\\n"
      "    --data-dir /var/lib/sandtrail-restored\n\n"
      "Verifies backups and makes a data directory of them. The server that they were made of "
      "must\n"
      "not go on: its log and the restored one would be two histories of one name.");
  app.add_option("--from", options.directory, "A backup of the log")->required();
  app.add_option("--keys", options.keys_directory, "A backup of the keys");
  app.add_option("--data-dir", options.data_dir, "An empty directory, or one to be made")
      ->required();
  app.add_flag("--json", options.json, "print JSON");
}

void warn_of_keys(const std::string& directory) {
  std::fprintf(
      stderr,
      "This copy keeps keys that are destroyed from now on: what is erased stays readable\n"
      "with it and the root key until you delete it. Delete %s before\n"
      "the time by which you promise that erased payloads are gone.\n",
      directory.c_str());
}

}  // namespace

int backup_main(const std::vector<std::string>& arguments) {
  CLI::App app;
  BackupOptions options;
  describe_backup(app, options);
  if (const auto code = read_command_line(app, arguments)) return *code;
  const auto data = data_directory_of(options);
  if (!data.ok()) return refuse("backup", data.error());
  const std::string to = absolute_path(options.directory);
  const SystemClock clock;
  SystemRandom random;
  const auto made = options.keys
                        ? make_key_backup(*data, to, clock)
                        : make_backup(*data, to, clock, random, progress_line("copying", clock));
  if (!made.ok()) return refuse("backup", made.error());
  print(*made, options.json);
  if (options.keys) warn_of_keys(to);
  return 0;
}

int restore_main(const std::vector<std::string>& arguments) {
  CLI::App app;
  BackupOptions options;
  describe_restore(app, options);
  if (const auto code = read_command_line(app, arguments)) return *code;
  const SystemClock clock;
  SystemRandom random;
  const std::string to = absolute_path(options.data_dir);
  const auto restored = restore_backup(options.directory, options.keys_directory, to, random,
                                       progress_line("restoring", clock));
  if (!restored.ok()) return refuse("restore", restored.error());
  print(*restored, options.json);
  std::fprintf(stderr,
               "Copy root.key and audit.key, and dev.json if there is one, into %s,\n"
               "mode 0600: they are in no backup.\n",
               to.c_str());
  if (options.keys_directory.empty()) {
    std::fprintf(stderr, "There are no data keys: a server does not start without %s/keys.\n",
                 to.c_str());
  }
  return 0;
}

int verify_main(const std::vector<std::string>& arguments) {
  CLI::App app;
  BackupOptions options;
  app.name("sandtrail verify");
  app.description(
      "Examples:\n"
      "  sandtrail verify /backups/2026-11-21\n\n"
      "Reads everything in a backup: each record with its checksum and the chain of hashes, the\n"
      "head mark, rows, objects and keys with their digests.");
  app.add_option("DIRECTORY", options.directory, "A backup")->required()->type_name("");
  app.add_flag("--json", options.json, "print JSON");
  if (const auto code = read_command_line(app, arguments)) return *code;
  const SystemClock clock;
  const auto file = verify_backup(options.directory, progress_line("reading", clock));
  if (file.ok()) {
    print(*file, options.json);
    return 0;
  }
  refuse("verify", file.error());
  const ErrorCode code = file.error().code;
  const bool is_backup = code == ErrorCode::corrupt || code == ErrorCode::conflict;
  return is_backup ? kExitDifferent : kExitFailure;
}

}  // namespace sandtrail
