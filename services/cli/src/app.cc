// SPDX-License-Identifier: Apache-2.0
// The command line: verbs, options, help, suggestions. CLI11 stays in this file.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "cli/cli.h"
#include "commands.h"
#include "config/nearest.h"
#include "session.h"

namespace sandtrail::cli {
namespace {

class AppOptions final : public Options {
 public:
  explicit AppOptions(CLI::App& app) : app_(app) {}
  void text(const std::string& names, std::string& out, const std::string& help) override {
    app_.add_option(names, out, help)->type_name("TEXT");
  }
  void number(const std::string& names, std::optional<std::int64_t>& out,
              const std::string& help) override {
    app_.add_option(names, out, help)->type_name("N");
  }
  void texts(const std::string& names, std::vector<std::string>& out,
             const std::string& help) override {
    // One value each time, so that an argument behind it is not taken for another.
    app_.add_option(names, out, help)->type_name("TEXT")->expected(1)->take_all();
  }
  void flag(const std::string& names, bool& out, const std::string& help) override {
    app_.add_flag(names, out, help);
  }
  void argument(const std::string& name, std::string& out, const std::string& help,
                bool required) override {
    app_.add_option(name, out, help)->required(required)->type_name("");
  }
  void rest(const std::string& name, std::vector<std::string>& out,
            const std::string& help) override {
    app_.add_option(name, out, help)->type_name("");
  }

 private:
  CLI::App& app_;
};

std::string indented(const std::string& lines) {
  std::string out = "  ";
  for (const char c : lines) {
    out += c;
    if (c == '\n') out += "  ";
  }
  return out + '\n';
}

// Examples first: they answer most questions.
class ExamplesFirst final : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode) const override {
    std::string out;
    if (!app->get_footer().empty()) out += "Examples:\n" + indented(app->get_footer()) + '\n';
    if (!app->get_description().empty()) out += app->get_description() + "\n\n";
    out += make_usage(app, name);
    out += make_positionals(app);
    out += make_groups(app, CLI::AppFormatMode::Normal);
    return out + make_verbs(app);
  }
  std::vector<std::pair<std::string, std::string>> other_verbs;  // of the root

 private:
  std::string make_verbs(const CLI::App* app) const {
    std::vector<std::pair<std::string, std::string>> verbs;
    if (app->get_parent() == nullptr) verbs = other_verbs;
    for (const CLI::App* sub : app->get_subcommands([](const CLI::App*) { return true; })) {
      verbs.emplace_back(sub->get_name(), sub->get_description());
    }
    if (verbs.empty()) return "";
    std::size_t width = 0;
    for (const auto& [verb, summary] : verbs) width = std::max(width, verb.size());
    std::string out = "\nVerbs:\n";
    for (const auto& [verb, summary] : verbs) {
      out += "  " + verb + std::string(width - verb.size() + 2, ' ') + summary + '\n';
    }
    return out;
  }
};

class Program {
 public:
  explicit Program(Session& session);
  int run(std::vector<std::string> arguments);

 private:
  CLI::App& parent_of(const std::string& verb);
  void add(Command command);
  void add_globals();
  const CLI::App& deepest() const;
  int refuse(const CLI::ParseError& error);
  std::string command_line(const CLI::App& app) const;
  std::string help_of(const CLI::App& app) const {
    return formatter_->make_help(&app, command_line(app), CLI::AppFormatMode::Normal);
  }

  Session& session_;
  CLI::App app_{"Run untrusted code in sandboxes; every step is an event in a log.", "sandtrail"};
  std::shared_ptr<ExamplesFirst> formatter_ = std::make_shared<ExamplesFirst>();
  bool version_ = false;
  std::map<const CLI::App*, Command> commands_;
};

Program::Program(Session& session) : session_(session) {
  formatter_->other_verbs = session.parts.other_verbs;
  app_.formatter(formatter_);
  app_.footer("sandtrail dev\nsandtrail run main.py\nsandtrail executions ls");
  app_.require_subcommand(1);
  app_.fallthrough();
  add_globals();
  for (const auto& list :
       {run_commands(), execution_commands(), webhook_commands(), account_commands(),
        operator_commands(), status_commands(), certs_commands(), log_commands(),
        log_topics_commands(), log_stats_commands(), log_verify_commands(), log_digests_commands(),
        log_copy_commands(), log_trim_commands(), log_loss_commands(), audit_verify_commands()}) {
    for (const Command& command : list) add(command);
  }
}

void Program::add_globals() {
  Globals& globals = session_.globals;
  AppOptions to(app_);
  to.text("--url", globals.url, "of the server; else SANDTRAIL_URL, else the local one's");
  to.text("--key-file", globals.key_file, "file with the API key; else SANDTRAIL_API_KEY");
  to.text("--data-dir", globals.data_dir, "of the local server; else SANDTRAIL_DATA_DIR");
  to.text("--config", globals.config, "the servers' settings: where data, log and launchers are");
  to.text("--socket", globals.socket, "the operator's socket; else in the data directory");
  to.flag("--json", globals.json, "print JSON");
  to.flag("--no-color", globals.no_color, "no colours; also NO_COLOR");
  to.flag("-v,--verbose", globals.verbose, "say more on standard error");
  to.flag("--version", version_, "print the version");
}

CLI::App& Program::parent_of(const std::string& verb) {
  const auto space = verb.find(' ');
  if (space == std::string::npos) return app_;
  const std::string word = verb.substr(0, space);
  for (CLI::App* sub : app_.get_subcommands([](CLI::App*) { return true; })) {
    if (sub->get_name() == word) return *sub;
  }
  const auto group = std::find_if(groups().begin(), groups().end(),
                                  [&](const Group& g) { return g.verb == word; });
  CLI::App* added = app_.add_subcommand(word, group == groups().end() ? "" : group->summary);
  added->footer("");  // else the parent's examples
  added->require_subcommand(1);
  added->fallthrough();
  return *added;
}

void Program::add(Command command) {
  const auto space = command.verb.find(' ');
  const std::string word =
      space == std::string::npos ? command.verb : command.verb.substr(space + 1);
  CLI::App* app = parent_of(command.verb).add_subcommand(word, command.summary);
  if (word == "ls") app->alias("list");  // what people type first
  app->footer(command.examples);
  app->fallthrough();
  AppOptions to(*app);
  command.options(to);
  commands_[app] = std::move(command);
}

// The verb as far as it was understood.
const CLI::App& Program::deepest() const {
  const CLI::App* app = &app_;
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  return *app;
}

std::string Program::command_line(const CLI::App& app) const {
  if (app.get_parent() == nullptr) return app.get_name();
  return command_line(*app.get_parent()) + " " + app.get_name();
}

int Program::refuse(const CLI::ParseError& error) {
  const CLI::App& app = deepest();
  const std::string line = command_line(app);
  const auto left = app_.remaining(true);
  if (!commands_.contains(&app)) {
    if (left.empty()) {
      session_.parts.err(help_of(app));
      return kExitUsage;
    }
    std::vector<std::string> verbs;
    if (&app == &app_) {
      for (const auto& [verb, summary] : session_.parts.other_verbs) verbs.push_back(verb);
    }
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
      verbs.push_back(sub->get_name());
    }
    const std::string meant = nearest(left.front(), verbs);
    return session_.usage("there is no verb '" + left.front() + "'" +
                          (meant.empty() ? "; see " + line + " --help"
                                         : "; did you mean '" + line + " " + meant + "'?"));
  }
  return session_.usage(std::string(error.what()) + "; see " + line + " --help");
}

int Program::run(std::vector<std::string> arguments) {
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
  try {
    app_.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    session_.print(help_of(deepest()));
    return 0;
  } catch (const CLI::ParseError& error) {
    if (version_) {
      session_.line("sandtrail " + session_.parts.version);
      return 0;
    }
    return refuse(error);
  }
  const auto found = commands_.find(&deepest());
  ST_ASSERT(found != commands_.end());
  if (!session_.after_dashes.empty() && found->second.verb != "run") {
    return session_.usage("only run takes something after --");
  }
  return found->second.run(session_);
}

}  // namespace

const std::vector<Group>& groups() {
  static const std::vector<Group> all{
      {"executions", "Runs and what became of them"},
      {"webhooks", "Endpoints that hear of them"},
      {"keys", "API keys"},
      {"credits", "Balance and ledger"},
      {"audit", "The audit log: read it, prove it"},
      {"org", "Organisations (operator)"},
      {"effects", "Effects that need an operator"},
      {"certs", "Certificates by which processes know each other"},
      {"log", "The event log itself: read it, replay it"},
  };
  return all;
}

}  // namespace sandtrail::cli

namespace sandtrail {

int run_cli(const std::vector<std::string>& arguments, CliParts parts) {
  cli::Session session(std::move(parts));
  std::vector<std::string> words = arguments;
  const auto dashes = std::find(words.begin(), words.end(), "--");
  if (dashes != words.end()) {
    session.after_dashes.assign(dashes + 1, words.end());
    words.erase(dashes, words.end());
  }
  if (words.empty()) words.emplace_back("--help");
  try {
    return cli::Program(session).run(std::move(words));
  } catch (const CLI::Error& error) {
    return session.usage(error.what());
  }
}

}  // namespace sandtrail
