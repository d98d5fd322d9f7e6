// SPDX-License-Identifier: Apache-2.0
// What a verb takes from the command line. The library that parses it is known to app.cc alone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sandtrail::cli {

// Binds options to variables, which must live until the verb has run. Names are "-n,--limit".
class Options {
 public:
  virtual ~Options() = default;
  virtual void text(const std::string& names, std::string& out, const std::string& help) = 0;
  virtual void number(const std::string& names, std::optional<std::int64_t>& out,
                      const std::string& help) = 0;
  // May be given several times.
  virtual void texts(const std::string& names, std::vector<std::string>& out,
                     const std::string& help) = 0;
  virtual void flag(const std::string& names, bool& out, const std::string& help) = 0;
  virtual void argument(const std::string& name, std::string& out, const std::string& help,
                        bool required = true) = 0;
  // All arguments that are left.
  virtual void rest(const std::string& name, std::vector<std::string>& out,
                    const std::string& help) = 0;
};

class Session;

// One verb. `run` is called after the options are read, and returns the exit code.
struct Command {
  std::string verb;      // "executions ls"
  std::string summary;   // one line
  std::string examples;  // lines
  std::function<void(Options&)> options;
  std::function<int(Session&)> run;
};

// A word with verbs below it.
struct Group {
  std::string verb;
  std::string summary;
};

// A verb whose options stand in one struct T.
template <typename T>
Command make_command(std::string verb, std::string summary, std::string examples,
                     void (*options)(Options&, T&), int (*run)(Session&, T&)) {
  auto state = std::make_shared<T>();
  return {std::move(verb), std::move(summary), std::move(examples),
          [state, options](Options& to) { options(to, *state); },
          [state, run](Session& session) { return run(session, *state); }};
}
struct NoOptions {};

}  // namespace sandtrail::cli
