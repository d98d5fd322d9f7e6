// SPDX-License-Identifier: Apache-2.0
// history_check [--json] DIRECTORY
//
// Checks the history that log_clients left in a directory. Exits 0 if the log kept its promises, 1
// if not, 2 if the history cannot be read or holds nothing to check.
#include <cstdio>
#include <string_view>

#include "checker.h"

using namespace sandtrail;

int main(int count, char** arguments) {
  const bool as_json = count == 3 && std::string_view(arguments[1]) == "--json";
  if (count != (as_json ? 3 : 2)) {
    std::fputs("usage: history_check [--json] DIRECTORY\n", stderr);
    return 2;
  }
  const auto history = history::read_history(arguments[count - 1]);
  if (!history.ok()) {
    std::fprintf(stderr, "history_check: %s\n", history.error().text().c_str());
    return 2;
  }
  const history::Report report = history::check(*history);
  const std::string text = as_json ? history::json_of(report) : history::table_of(report);
  std::fputs(text.c_str(), stdout);
  if (!report.clean()) return 1;
  if (report.committed > 0 && report.read > 0) return 0;
  std::fputs("history_check: nothing was acknowledged and read\n", stderr);
  return 2;
}
