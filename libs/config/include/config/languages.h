// SPDX-License-Identifier: Apache-2.0
// The languages an execution may name: a TOML file of [[language]] tables with
//
//   name                what requests say: [a-z0-9+-]{1,32}
//   file                the name the code gets in the work directory
//   probe               absolute path of its interpreter or compiler on the host, under /usr
//   compile             argv of the compile stage; absent: none
//   run                 argv of the run stage
//   environment         table of variables besides the usual ones; may be absent
//   memory_mib_min      requests with less are refused
//   processes_min
//   memory_mib_default  what a request without limits gets
//   processes_default
//
// Read as strictly as the settings (config/config.h).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sandtrail {

struct Language {
  std::string name;
  std::string file;
  std::string probe;
  std::vector<std::string> compile;  // empty: none
  std::vector<std::string> run;
  std::map<std::string, std::string> environment;
  std::int64_t memory_mib_min = 0;
  std::int64_t processes_min = 0;
  std::int64_t memory_mib_default = 0;
  std::int64_t processes_default = 0;
};

// In the order of the file. invalid_argument as parse_config(), names given twice included.
Result<std::vector<Language>> parse_languages(std::string_view text, const std::string& file);

// The languages of the file at `path` whose probe can be executed on this host. Errors of the file
// as load_config().
Result<std::vector<Language>> load_languages(const std::string& path);
Result<std::vector<Language>> load_languages(
    const std::string& path, const std::function<bool(const std::string& probe)>& exists);

}  // namespace sandtrail
