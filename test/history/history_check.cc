// SPDX-License-Identifier: Apache-2.0
// history_check [--json] [--kafka] DIRECTORY
//
// Checks the history that log_clients left in a directory. Exits 0 if the log kept its promises, 1
// if not, 2 if the history cannot be read or holds nothing to check.
//   --kafka   those of the log over Kafka, where they are weaker than the port's
#include <cstdio>
#include <string>
#include <string_view>

#include "checker.h"

using namespace sandtrail;

int main(int count, char** arguments) {
  bool as_json = false;
  history::CheckOptions options;
  std::string directory;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = arguments[i];
    if (word == "--json") {
      as_json = true;
    } else if (word == "--kafka") {
      options = {true, true};
    } else if (directory.empty() && !word.starts_with("-")) {
      directory = word;
    } else {
      std::fputs("usage: history_check [--json] [--kafka] DIRECTORY\n", stderr);
      return 2;
    }
  }
  const auto history = history::read_history(directory);
  if (!history.ok()) {
    std::fprintf(stderr, "history_check: %s\n", history.error().text().c_str());
    return 2;
  }
  const history::Report report = history::check(*history, options);
  const std::string text = as_json ? history::json_of(report) : history::table_of(report);
  std::fputs(text.c_str(), stdout);
  if (!report.clean()) return 1;
  if (report.committed > 0 && report.read > 0) return 0;
  std::fputs("history_check: nothing was acknowledged and read\n", stderr);
  return 2;
}
