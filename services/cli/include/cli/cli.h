// SPDX-License-Identifier: Apache-2.0
// The client verbs of `sandtrail`: they use the HTTP API, the operator socket, or read the log
// itself. Data goes to standard output, everything else to standard error.
//
// Exit codes:
//   0    done
//   N    `run`: what the program exited with (verdicts ok and nonzero_exit)
//   1    a verification found a difference
//   2    the command line is wrong
//   3    the server or the log cannot be reached, or refused
//   124  `run`: the time limit
//   125  `run`: any other end without an exit code of the program
//   141  `run`: nobody reads its output any more; the program goes on
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "config/config.h"
#include "event_log/event_log.h"
#include "event_log/log_import.h"
#include "http/client.h"
#include "runtime/projection.h"
#include "store/key_store.h"

namespace sandtrail {

// What an embedded log that nobody has open has lost of what was acknowledged.
struct LogLoss {
  struct Partition {
    TopicPartition where;
    Position expected;  // where it ended
    Position found;     // where it ends now
  };
  std::string what;  // in words; empty: nothing is wrong
  std::vector<Partition> partitions;
};
// What became of going on without it.
struct LossAccepted {
  std::string old_identity;
  std::string new_identity;
  std::string kept_store;  // where the rows of the old log are now; empty: there were none
};

// Where a log is, as `log copy` is told: "embedded:DIRECTORY" (a data directory) or
// "kafka://HOST:PORT,…" with "/PREFIX" of its topics behind it; without it, and for everything else
// about the brokers, the settings say.
struct LogPlaces {
  using Settings = std::optional<Config>;
  // For reading only.
  std::function<Result<std::unique_ptr<EventLog>>(const std::string& place, const Settings&)> open;
  // To be filled.
  std::function<Result<std::unique_ptr<LogImport>>(const std::string& place, const Settings&)>
      import;
  // The data keys beside it. For reading only, or made if need be.
  std::function<Result<std::unique_ptr<KeyStore>>(const std::string& place, const Settings&,
                                                  bool read_only)>
      keys;
  // Nobody writes to it while the handle lives; conflict if somebody does. Null where that cannot
  // be had: over Kafka.
  std::function<Result<std::shared_ptr<void>>(const std::string& place)> hold;
  // What tells its root key from others: kept in a file beside an embedded log, among the keys of
  // any other (""). "" also if nothing was ever sealed.
  std::function<Result<std::string>(const std::string& place)> root_check;
  std::function<Status(const std::string& place, const std::string& check)> set_root_check;
};

// What the verbs work with; all references must outlive run_cli().
struct CliParts {
  http::Client& client;  // its policy must allow private addresses
  const Clock& clock;
  Random& random;
  Environment environment;

  // Write bytes as they are. False: nobody reads them any more, so the verb ends.
  std::function<bool(BytesView)> out;
  std::function<bool(BytesView)> err;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  // Standard input to its end; overloaded if it is longer.
  std::function<Result<Bytes>(std::size_t bytes_max)> read_input;
  // Lets so much time pass, on a condition.
  std::function<void(Millis)> pause;

  // The log of a data directory, or of the settings, for reading only, beside servers that may be
  // running.
  std::function<Result<std::unique_ptr<EventLog>>(const std::string& data_directory,
                                                  const std::optional<Config>& config)>
      open_log;
  // What a launcher of the settings ("host:port") says at GET /host/v1/status: JSON.
  std::function<Result<Bytes>(const Config& config, const std::string& launcher)> ask_launcher;
  // Every projection a server keeps, fresh.
  std::function<std::vector<std::unique_ptr<Projection>>()> projections;

  // Verbs that main() answers itself, with one line each, for help and suggestions.
  std::vector<std::pair<std::string, std::string>> other_verbs;
  std::string version;

  // Of a data directory whose server is stopped. conflict: it runs.
  std::function<Result<LogLoss>(const std::string& data_directory)> find_loss = {};
  std::function<Result<LossAccepted>(const std::string& data_directory, const std::string& reason)>
      accept_loss = {};
  // Asks a person at a terminal; false too if there is none.
  std::function<bool(std::string_view question)> confirm = {};
  LogPlaces places = {};
};

// Runs one verb; `arguments` without the program's name. Returns the exit code. Blocks; call it on
// one thread at a time, none of the client's.
int run_cli(const std::vector<std::string>& arguments, CliParts parts);

}  // namespace sandtrail
