// SPDX-License-Identifier: Apache-2.0
// Structured logging. One process-wide logger, because a library deep down must be able to say
// something; it is the only global state of Sandtrail.
//
//   log_info("execution finished", {{"execution_id", id}, {"wall_us", usage.wall_us}});
//
// As JSON, one line each: {"ts":"2026-01-31T12:00:00.000Z","level":"info","msg":"…",…fields}.
// As text, for people:     2026-01-31T12:00:00.000Z info  … execution_id=exe_… wall_us=17
// Usual names of fields: request_id, execution_id, trace_id, topic, partition, position, error.
// Never log a secret or a payload.
//
// Thread-safe, never throws, never waits for the reader of the log: lines go into a queue of
// limits::kLogQueueLinesMax; when it is full the oldest line is dropped and counted.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"

namespace sandtrail {

enum class LogLevel { debug, info, warn, error, off };
enum class LogFormat {
  automatic,  // text if standard error is a terminal, else JSON
  json,
  text,
};

// One value of a field. Refers to the text it is made from: valid for the call only.
class LogValue {
 public:
  using Variant =
      std::variant<std::string_view, std::string, std::int64_t, std::uint64_t, double, bool>;

  LogValue(std::string_view text) : value_(text) {}
  LogValue(const char* text) : value_(std::string_view(text)) {}
  LogValue(const std::string& text) : value_(std::string_view(text)) {}
  LogValue(const Error& error) : value_(error.text()) {}
  LogValue(UnixMs time) : value_(rfc3339(time)) {}
  LogValue(Millis span) : value_(span.count) {}
  LogValue(double number) : value_(number) {}
  template <std::same_as<bool> B>
  LogValue(B flag) : value_(static_cast<bool>(flag)) {}
  template <std::signed_integral I>
  LogValue(I number) : value_(static_cast<std::int64_t>(number)) {}
  template <std::unsigned_integral I>
  requires(!std::same_as<I, bool>) LogValue(I number)
      : value_(static_cast<std::uint64_t>(number)) {}
  template <typename Tag>
  LogValue(const Id<Tag>& id) : value_(id.text()) {}

  const Variant& get() const { return value_; }

 private:
  Variant value_;
};

struct LogField {
  std::string_view name;
  LogValue value;
};
using LogFields = std::initializer_list<LogField>;

// Lines longer than limits::kLogLineBytesMax lose their last fields, values longer than
// limits::kLogValueBytesMax their end; "cut":true then says so. Bytes that are not UTF-8 become
// U+FFFD. Without a Logging in place nothing happens.
void log_at(LogLevel level, std::string_view message, LogFields fields) noexcept;

inline void log_debug(std::string_view message, LogFields fields = {}) noexcept {
  log_at(LogLevel::debug, message, fields);
}
inline void log_info(std::string_view message, LogFields fields = {}) noexcept {
  log_at(LogLevel::info, message, fields);
}
inline void log_warn(std::string_view message, LogFields fields = {}) noexcept {
  log_at(LogLevel::warn, message, fields);
}
inline void log_error(std::string_view message, LogFields fields = {}) noexcept {
  log_at(LogLevel::error, message, fields);
}

// True if a line of this level would be written: for fields that are dear to compute.
bool log_enabled(LogLevel level) noexcept;

// Lines lost so far in this process: the queue was full, or the reader of standard error stalled.
std::uint64_t log_lines_dropped() noexcept;

struct LogOptions {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::automatic;
  // Takes each line with its "\n", on the logger's thread; absent: standard error.
  std::function<void(std::string_view line)> write;
};

// Installs the logger while it lives. Make one, early in main(); a second one at a time is a broken
// invariant. `clock` must outlive it. The destructor writes what is queued; what standard error
// does not take within limits::kLogWriteTimeout is dropped.
class Logging {
 public:
  Logging(LogOptions options, const Clock& clock);
  ~Logging();
  Logging(const Logging&) = delete;
  Logging& operator=(const Logging&) = delete;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace sandtrail
