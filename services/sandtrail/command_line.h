// SPDX-License-Identifier: Apache-2.0
// What the verbs that start a process read from their command line, all in the same way.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace sandtrail {

// `arguments` come after the verb. The exit code if nothing is to be done: 0 after --help, 2 for a
// wrong command line, which is said on standard error.
std::optional<int> read_command_line(CLI::App& app, const std::vector<std::string>& arguments);

// As the settings want a path; relative ones are of the working directory.
std::string absolute_path(const std::string& path);

}  // namespace sandtrail
