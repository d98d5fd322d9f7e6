// SPDX-License-Identifier: Apache-2.0
#include "obs/log.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "base/limits.h"
#include "codec/json.h"

namespace sandtrail {
namespace {

// Collects lines; destroying the Logging flushes them.
struct Lines {
  std::function<void(std::string_view)> writer() {
    return [this](std::string_view line) {
      const std::lock_guard lock(mutex);
      lines.emplace_back(line);
    };
  }
  std::mutex mutex;
  std::vector<std::string> lines;
};

const ManualClock kClock({1'700'000'000'123});

std::string one_line(LogFormat format, const std::function<void()>& log) {
  Lines lines;
  {
    const Logging logging({LogLevel::debug, format, lines.writer()}, kClock);
    log();
  }
  REQUIRE(lines.lines.size() == 1);
  return lines.lines.front();
}

TEST_CASE("a line is JSON with time, level, message and its fields in order") {
  const auto key = *KeyId::parse("key_00000000000000000000000001");
  const std::string line = one_line(LogFormat::json, [&key] {
    log_info("started", {{"key", key},
                         {"n", -3},
                         {"u", std::size_t{7}},
                         {"ratio", 0.5},
                         {"live", true},
                         {"name", std::string("x\ny\"")},
                         {"error", Error{ErrorCode::timeout, "too late", ""}}});
  });
  CHECK(line == R"({"ts":"2023-11-14T22:13:20.123Z","level":"info","msg":"started",)"
                R"("key":"key_00000000000000000000000001","n":-3,"u":7,"ratio":5E-1,"live":true,)"
                R"("name":"x\ny\"","error":"timeout: too late"})"
                "\n");
}

TEST_CASE("a line for people has the fields as name=value, quoted where needed") {
  const std::string line = one_line(LogFormat::text, [] {
    log_warn("disk\nlow", {{"free", 12}, {"path", "/var/lib"}, {"why", "a b"}, {"none", ""}});
  });
  CHECK(line ==
        "2023-11-14T22:13:20.123Z warn  disk low free=12 path=/var/lib why=\"a b\" none=\"\"\n");
}

TEST_CASE("nothing a caller passes makes a line invalid or too long") {
  const std::string controls(3000, '\x01');
  const std::string invalid = "a\xFF\xC3z\xE2\x82";
  struct Row {
    std::string message;
    std::string value;
    double number;
  };
  for (const Row& row : {Row{controls, controls, 1}, Row{invalid, invalid, 1},
                         Row{std::string(9000, 'm'), std::string(9000, 'v'), 1},
                         Row{"m", "v", std::numeric_limits<double>::infinity()},
                         Row{"m", "v", std::numeric_limits<double>::quiet_NaN()}}) {
    const std::string line = one_line(LogFormat::json, [&row] {
      log_error(row.message, {{"a", row.value},
                              {"b", row.value},
                              {"c", row.value},
                              {"d", row.value},
                              {"e", row.value},
                              {"number", row.number}});
    });
    CHECK(line.size() <= limits::kLogLineBytesMax);
    CHECK(line.find('\n') == line.size() - 1);
    const auto parsed = json::parse(std::string_view(line).substr(0, line.size() - 1));
    REQUIRE(parsed.ok());
    CHECK(parsed->as_object().contains("cut") == (row.value.size() > 1000));
    const std::string text = one_line(LogFormat::text, [&row] {
      log_error(row.message, {{"a", row.value}, {"b", row.value}});
    });
    CHECK(text.size() <= limits::kLogLineBytesMax);
    CHECK(text.find('\n') == text.size() - 1);
    CHECK(is_utf8(text));
  }
}

TEST_CASE("bytes that are not UTF-8 are replaced, the others kept") {
  const std::string line = one_line(LogFormat::json, [] { log_info("a\xFFz\xC3\xA9\xE2\x82"); });
  CHECK(line.find("\"a\xEF\xBF\xBDz\xC3\xA9\xEF\xBF\xBD\xEF\xBF\xBD\"") != std::string::npos);
}

TEST_CASE("levels below the one that is set are left out") {
  Lines lines;
  {
    const Logging logging({LogLevel::warn, LogFormat::text, lines.writer()}, kClock);
    CHECK_FALSE(log_enabled(LogLevel::info));
    CHECK(log_enabled(LogLevel::error));
    log_debug("a");
    log_info("b");
    log_warn("c");
    log_error("d");
  }
  CHECK(lines.lines.size() == 2);
}

TEST_CASE("without a logger nothing happens, and a second logger can follow the first") {
  CHECK_FALSE(log_enabled(LogLevel::error));
  log_error("nobody hears this");
  CHECK_FALSE(one_line(LogFormat::text, [] { log_info("one"); }).empty());
  CHECK_FALSE(one_line(LogFormat::text, [] { log_info("two"); }).empty());
}

TEST_CASE("a full queue drops the oldest lines, counts them, and never makes the caller wait") {
  std::mutex mutex;
  std::condition_variable changed;
  bool entered = false;
  bool released = false;
  std::vector<std::string> lines;
  const std::uint64_t dropped_before = log_lines_dropped();
  constexpr std::size_t kExtra = 10;
  {
    const Logging logging({LogLevel::info, LogFormat::json,
                           [&](std::string_view line) {
                             std::unique_lock lock(mutex);
                             entered = true;
                             changed.notify_all();
                             changed.wait(lock, [&] { return released; });
                             lines.emplace_back(line);
                           }},
                          kClock);
    log_info("first");
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return entered; });
    }
    for (std::size_t i = 0; i < limits::kLogQueueLinesMax + kExtra; ++i) {
      log_info("more", {{"i", i}});
    }
    CHECK(log_lines_dropped() - dropped_before == kExtra);
    const std::lock_guard lock(mutex);
    released = true;
    changed.notify_all();
  }
  CHECK(log_lines_dropped() - dropped_before == kExtra);
  REQUIRE(lines.size() == 1 + limits::kLogQueueLinesMax);
  CHECK(lines[1].find("\"i\":" + std::to_string(kExtra)) != std::string::npos);
}

TEST_CASE("many threads log at once, also while the logger is removed") {
  Lines lines;
  std::vector<std::thread> threads;
  std::atomic<bool> stop{false};
  {
    const Logging logging({LogLevel::info, LogFormat::json, lines.writer()}, kClock);
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&stop] {
        while (!stop) {
          log_info("busy", {{"n", 1}});
          std::this_thread::yield();
        }
      });
    }
    log_info("here");
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  CHECK_FALSE(lines.lines.empty());
  CHECK(std::all_of(lines.lines.begin(), lines.lines.end(),
                    [](const std::string& line) { return line.ends_with("}\n"); }));
}

TEST_CASE("a reader of standard error that has stalled costs lines, not the end of the process") {
  int pipe_fds[2];
  REQUIRE(::pipe2(pipe_fds, O_CLOEXEC) == 0);
  const UniqueFd reader(pipe_fds[0]);
  const UniqueFd writer(pipe_fds[1]);
  const UniqueFd saved(::dup(STDERR_FILENO));
  const std::uint64_t dropped_before = log_lines_dropped();
  const int capacity = ::fcntl(writer.get(), F_GETPIPE_SZ);
  REQUIRE(capacity > 0);
  const std::string value(1000, 'v');
  const int count = capacity / 1000 + 100;
  ::dup2(writer.get(), STDERR_FILENO);
  {
    const Logging logging({LogLevel::info, LogFormat::automatic, {}}, kClock);
    for (int i = 0; i < count; ++i) log_info("filler", {{"value", value}});
  }
  ::dup2(saved.get(), STDERR_FILENO);
  CHECK(log_lines_dropped() - dropped_before >= 99);
  std::string first(10, ' ');
  REQUIRE(::read(reader.get(), first.data(), first.size()) == 10);
  CHECK(first == "{\"ts\":\"202");
}

}  // namespace
}  // namespace sandtrail
