// SPDX-License-Identifier: Apache-2.0
#include "config/config.h"

namespace sandtrail {

std::string config_document() {
  std::string out =
      "# Settings\n"
      "\n"
      "One TOML 1.0 file serves all roles. Unknown keys, wrong types and values out of range are\n"
      "errors. A variable of the environment wins over the file: `SANDTRAIL_` and the name in\n"
      "upper case with `.` as `_`, as in `SANDTRAIL_SERVER_LISTEN`; lists are separated by\n"
      "commas, entries of a table too (`name=value,name=value`). The command line wins over "
      "both.\n";
  for (const SettingInfo& setting : describe()) {
    out += "\n## " + setting.name + "\n\n";
    out += setting.text + "\n\n";
    out += "- type: " + setting.type + "\n";
    out += "- default: `" + setting.default_value + "`\n";
    out += "- variable: `" + setting.variable + "`\n";
  }
  return out;
}

}  // namespace sandtrail
