// SPDX-License-Identifier: Apache-2.0
// Documents of the API as tables.
#pragma once

#include <string>
#include <vector>

#include "session.h"

namespace sandtrail::cli {

// `path` as in shown_at(). What ends with "_microcredits" is shown in credits, with "_us" as a
// span, a list with its items joined by spaces.
struct Column {
  std::string head;
  std::string path;
};

std::string cell(const json::value& document, const std::string& path);

// With --json an array, else a table. Always succeeds: returns 0.
int show_list(Session& session, const json::array& items, const std::vector<Column>& columns);
// With --json the document, else its members that are not empty, a line each.
int show_one(Session& session, const json::value& document, const std::vector<Column>& columns);

// "12.3 ms", "4.56 s".
std::string span_text_us(std::int64_t count);

}  // namespace sandtrail::cli
