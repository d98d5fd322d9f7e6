// SPDX-License-Identifier: Apache-2.0
// Runs installations by seed, for scripts/sim, which says what the arguments mean. One line of JSON
// for each seed; `--trace` tells the story of one, `--shrink` first looks for a smaller one.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "runs.h"

using namespace sandtrail;
using namespace sandtrail::sim;

namespace {

struct Arguments {
  Plan plan;
  std::uint64_t seeds = 1;
  std::uint64_t step = 1;
  bool trace = false;
  bool shrink = false;
};

[[noreturn]] void usage() {
  std::fputs(
      "usage: sim_seeds --first SEED [--seeds N] [--step N] [--actions N] [--without KIND,…]"
      " [--with KIND,…] [--trace] [--shrink]\n",
      stderr);
  std::exit(2);
}

std::set<std::string, std::less<>> split(const std::string& text) {
  std::set<std::string, std::less<>> out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    if (comma > at) out.insert(text.substr(at, comma - at));
    at = comma + 1;
  }
  return out;
}

Arguments parse(int argc, char** argv) {
  Arguments out;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--trace" || name == "--shrink") {
      (name == "--trace" ? out.trace : out.shrink) = true;
      continue;
    }
    if (i + 1 == argc) usage();
    const char* value = argv[++i];
    if (name == "--without" || name == "--with") {
      (name == "--with" ? out.plan.with : out.plan.without) = split(value);
      continue;
    }
    char* end = nullptr;
    const unsigned long long number = std::strtoull(value, &end, 10);
    if (end == value || *end != '\0') usage();
    if (name == "--first") {
      out.plan.seed = number;
    } else if (name == "--seeds") {
      out.seeds = number;
    } else if (name == "--step") {
      out.step = number;
    } else if (name == "--actions") {
      out.plan.actions = static_cast<int>(number);
    } else {
      usage();
    }
  }
  return out;
}

void print_line(const std::string& text) {
  std::fputs((text + "\n").c_str(), stdout);
  std::fflush(stdout);
}

// In a process of its own, so that one that dies is a failure like any other.
Outcome run_apart(const Plan& plan) {
  int ends[2];
  if (::pipe(ends) != 0) std::abort();
  const pid_t child = ::fork();
  if (child < 0) std::abort();
  if (child == 0) {
    const std::string text = json::print(to_json(run(plan)));
    const ssize_t written = ::write(ends[1], text.data(), text.size());
    std::_Exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text;
  char chunk[4096];
  for (ssize_t n = 0; (n = ::read(ends[0], chunk, sizeof chunk)) > 0;) {
    text.append(chunk, static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  const auto parsed = json::parse(text);
  auto outcome = parsed.ok() ? from_json<Outcome>(*parsed) : Result<Outcome>(parsed.error());
  if (outcome.ok()) return std::move(outcome).value();
  Outcome dead;
  dead.problems = {"the process died, status " + std::to_string(status)};
  return dead;
}

// Exits 1 if it failed.
int tell_of(Plan plan, bool smaller) {
  if (smaller) {
    plan = shrink(plan, run_apart,
                  [](const Plan& tried) { print_line("still fails: " + tried.command()); });
  }
  print_line(plan.command());
  const Outcome outcome = run(plan, true);
  print_line(outcome.story);
  print_line(outcome.problems.empty() ? "It is right." : "What is wrong:");
  for (const std::string& problem : outcome.problems) print_line("  " + problem);
  return outcome.problems.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = parse(argc, argv);
  if (arguments.trace || arguments.shrink) return tell_of(arguments.plan, arguments.shrink);
  bool right = true;
  Plan plan = arguments.plan;
  for (std::uint64_t i = 0; i < arguments.seeds; ++i, plan.seed += arguments.step) {
    print_line("{\"begins\":" + std::to_string(plan.seed) + "}");
    const Outcome outcome = run(plan);
    right &= outcome.problems.empty();
    print_line(json::print(to_json(outcome)));
  }
  return right ? 0 : 1;
}
