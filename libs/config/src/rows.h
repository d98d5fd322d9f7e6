// SPDX-License-Identifier: Apache-2.0
// The table of settings: it reads them and describes them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "values.h"

namespace sandtrail::config {

struct Row {
  std::string name;
  Kind kind;
  std::string type;  // for people
  std::string text;
  // Takes the value over, or says what is wrong with it ("must be …"). Of a table: each entry.
  std::function<std::string(Config&, const Raw&)> read;
  // The value as TOML.
  std::function<std::string(const Config&)> show;
  // Of a table: forgets what stronger sources put in its place.
  std::function<void(Config&)> clear = nullptr;

  std::string variable() const;
};

const std::vector<Row>& rows();

}  // namespace sandtrail::config
