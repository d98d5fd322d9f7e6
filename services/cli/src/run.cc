// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "api.h"
#include "base/limits.h"
#include "commands.h"
#include "execution_output.h"
#include "run_request.h"

namespace sandtrail::cli {
namespace {

constexpr int kExitNotOver = 75;  // EX_TEMPFAIL of sysexits.h
constexpr int kExitUnread = 141;  // 128 + SIGPIPE, as of any program in a pipe
constexpr std::int64_t kForeverSeconds = std::int64_t{1} << 40;
constexpr int kAsksMax = 30;  // in a row, of a server that does not answer

void options(Options& to, RunOptions& o) {
  to.argument("FILE", o.file, "the program, its language by its suffix; - is standard input",
              false);
  to.rest("ARGS", o.arguments, "arguments of the program; those with a dash after --");
  to.text("-c,--code", o.code, "the program itself");
  to.text("-l,--language", o.language, "its language; else by the suffix, and python with -c");
  to.text("--stdin", o.input, "file with its standard input; - is ours");
  to.texts("-f,--file", o.files, "PATH or NAME=PATH: a file for its work directory");
  to.texts("-e,--env", o.variables, "NAME=VALUE, or NAME to pass ours on");
  to.number("--wall-ms", o.wall_ms, "time limit");
  to.number("--memory-mib", o.memory_mib, "memory limit");
  to.number("--cpu-millis", o.cpu_millis, "CPU limit; 1000 is one core");
  to.number("--processes", o.processes, "processes and threads at once");
  to.number("--disk-mib", o.disk_mib, "size of the work directory; counts as memory");
  to.number("--output-bytes", o.output_bytes, "kept of each stream");
  to.texts("-m,--metadata", o.metadata, "KEY=VALUE to find it by");
  to.text("--thread", o.thread, "the thread it belongs to");
  to.text("--callback-url", o.callback_url, "where to send word of its end");
  to.text("--retention", o.retention, "1h, 24h, 7d, 30d, indefinite, or seconds like 90s");
  to.number("--max-attempts", o.max_attempts, "runs at most, if hosts get lost");
  to.text("--idempotency-key", o.idempotency_key, "makes a repeat of this call harmless");
  to.number("--wait", o.wait_seconds, "seconds to wait for the end; unless given, until it comes");
  to.flag("--no-wait", o.no_wait, "print its id and go");
}

class Waiting {
 public:
  Waiting(Session& session, const RunOptions& options)
      : session_(session),
        bounded_(options.wait_seconds.has_value()),
        until_us_(session.parts.clock.monotonic_us() +
                  options.wait_seconds.value_or(kForeverSeconds) * 1'000'000) {}

  std::int64_t seconds_left() const {
    const std::int64_t left = until_us_ - session_.parts.clock.monotonic_us();
    return std::clamp<std::int64_t>(left / 1'000'000, 0, limits::kPreferWaitSecondsMax);
  }
  // Nullopt: for ever.
  std::optional<Millis> time_left() const {
    if (!bounded_) return std::nullopt;
    const std::int64_t left_us = until_us_ - session_.parts.clock.monotonic_us();
    return Millis{std::max<std::int64_t>(0, left_us) / 1000};
  }
  FieldList fields() const { return {{"Prefer", "wait=" + std::to_string(seconds_left())}}; }

  // The execution once it is over, or as it is when the time is.
  Result<json::value> end_of(Api& api, ApiAnswer answer) {
    int failed = 0;
    while (!is_over(answer.body) && seconds_left() > 0) {
      // A server with too many waiters answers at once: do not ask it all the time.
      if (!answer.fields.has("Preference-Applied")) session_.parts.pause(seconds(1));
      auto next = api.get("/v1/executions/" + query_text(shown(answer.body, "id")), fields());
      // The execution goes on while a server restarts.
      if (!next.ok() && next.error().code == ErrorCode::unavailable && ++failed <= kAsksMax) {
        session_.parts.pause(seconds(1));
        continue;
      }
      ST_ASSIGN(answer, std::move(next));
      failed = 0;
    }
    return std::move(answer.body);
  }

 private:
  Session& session_;
  const bool bounded_;
  const std::int64_t until_us_;
};

int show(Session& session, const json::value& execution, LiveOutput& output) {
  if (session.globals.json) {
    session.document(execution);
  } else {
    output.write_rest(execution);
    if (output.unread()) return kExitUnread;
  }
  if (!is_over(execution)) {
    session.note("it is not over yet: " + shown(execution, "id"));
    return kExitNotOver;
  }
  // Its own exit code says enough; a program that was ended by something else cannot tell.
  const std::string verdict = shown(execution, "verdict");
  const bool ended_itself = verdict == "ok" || verdict == "nonzero_exit";
  if (session.globals.verbose || session.parts.err_is_terminal || !ended_itself) {
    session.note(summary_of(session, execution));
  }
  return exit_code_of(execution);
}

// Passes on what it writes, as far as that goes, and returns the execution as it is then. What
// failed in between does not matter: the document has all of it.
Result<ApiAnswer> watch(Api& api, const Waiting& waiting, LiveOutput& output,
                        const ApiAnswer& created) {
  FieldList position;
  if (const auto at = created.fields.get("Sandtrail-Position")) {
    position.emplace_back("Sandtrail-Position", *at);
  }
  const std::string id = shown(created.body, "id");
  if (waiting.time_left() != Millis{0}) {
    (void)output.follow(api, id, {position, waiting.time_left()});
  }
  FieldList fields = waiting.fields();
  fields.insert(fields.end(), position.begin(), position.end());
  return output.unread() ? created : api.get("/v1/executions/" + query_text(id), fields);
}

int run(Session& session, RunOptions& options) {
  const auto body = run_body(session, options);
  if (!body.ok()) {
    session.fail(body.error());
    return kExitUsage;
  }
  auto api = server_api(session);
  if (!api.ok()) return session.fail(api.error());
  Waiting waiting(session, options);
  FieldList fields;
  // Who waits for a document waits with the request; who sees the output come, with that.
  const bool live = !options.no_wait && !session.globals.json;
  if (!options.no_wait && !live) fields = waiting.fields();
  if (!options.idempotency_key.empty()) {
    fields.emplace_back("Idempotency-Key", options.idempotency_key);
  }
  auto answer = api->post("/v1/executions", *body, fields);
  if (!answer.ok()) return session.fail(answer.error());
  if (shown(answer->body, "id").empty()) {
    return session.fail({ErrorCode::corrupt, "the server's answer is no execution",
                         "is the URL that of a Sandtrail server?"});
  }
  if (options.no_wait) {
    if (session.globals.json) {
      session.document(answer->body);
    } else {
      session.line(shown(answer->body, "id"));
    }
    return 0;
  }
  LiveOutput output(session);
  if (live && !is_over(answer->body)) {
    auto watched = watch(*api, waiting, output, *answer);
    if (output.unread()) return kExitUnread;
    if (!watched.ok() && watched.error().code != ErrorCode::unavailable) {
      return session.fail(watched.error());
    }
    if (watched.ok()) answer = std::move(watched);
  }
  const std::string id = shown(answer->body, "id");
  const auto execution = waiting.end_of(*api, std::move(*answer));
  if (execution.ok()) return show(session, *execution, output);
  const int failed = session.fail(execution.error());
  if (execution.error().code != ErrorCode::unavailable) return failed;
  session.note("it goes on as far as is known: sandtrail executions output " + id);
  return kExitNotOver;
}

}  // namespace

Commands run_commands() {
  return {make_command<RunOptions>(
      "run", "Run a program in a sandbox and pass on its output and exit code",
      "sandtrail run main.py\n"
      "sandtrail run -c 'print(6 * 7)'\n"
      "echo hello | sandtrail run --stdin - main.py -- --flag\n"
      "sandtrail run --memory-mib 512 -f data.csv -- sort data.csv\n"
      "sandtrail run main.py; echo $?  # 128 + N: signal N; 124: took too long; 125: another "
      "limit\n"
      "                                # or fault; 75: not over yet; 2, 3: could not be run",
      options, run)};
}

}  // namespace sandtrail::cli
