// SPDX-License-Identifier: Apache-2.0
#include "obs/log.h"

#include <poll.h>
#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <shared_mutex>

#include "base/limits.h"
#include "line.h"

namespace sandtrail {
namespace {

std::atomic<std::uint64_t> g_lost_by_reader{0};
std::atomic<std::uint64_t> g_lost_in_queues{0};  // of loggers that are gone

// Whoever reads standard error may stall (a pager, a full pipe). Then lines are dropped, so that
// neither the queue nor the end of the process waits for ever.
class StderrWriter {
 public:
  void operator()(std::string_view line) {
    if (!writable(stalled_ ? 0 : static_cast<int>(limits::kLogWriteTimeout.count))) {
      stalled_ = true;
      ++g_lost_by_reader;
      return;
    }
    stalled_ = false;
    // A line is at most PIPE_BUF bytes long, so a pipe that is writable takes it whole.
    while (!line.empty()) {
      const ssize_t count = ::write(STDERR_FILENO, line.data(), line.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        ++g_lost_by_reader;
        return;
      }
      line.remove_prefix(static_cast<std::size_t>(count));
    }
  }

 private:
  static bool writable(int timeout_ms) {
    pollfd fd{STDERR_FILENO, POLLOUT, 0};
    return ::poll(&fd, 1, timeout_ms) == 1 && (fd.revents & POLLOUT) != 0;
  }
  bool stalled_ = false;
};

// Used by the one thread of the pool only.
class FunctionSink final : public spdlog::sinks::sink {
 public:
  explicit FunctionSink(std::function<void(std::string_view)> write) : write_(std::move(write)) {}
  void log(const spdlog::details::log_msg& message) override {
    write_({message.payload.data(), message.payload.size()});
  }
  void flush() override {}
  // Lines arrive formatted.
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
  std::function<void(std::string_view)> write_;
};

}  // namespace

struct Logging::State {
  State(LogOptions options, const Clock& the_clock)
      : clock(the_clock),
        json(options.format == LogFormat::json ||
             (options.format == LogFormat::automatic && ::isatty(STDERR_FILENO) == 0)),
        pool(std::make_shared<spdlog::details::thread_pool>(limits::kLogQueueLinesMax, 1)) {
    if (!options.write) options.write = StderrWriter();
    logger = std::make_shared<spdlog::async_logger>(
        "sandtrail", std::make_shared<FunctionSink>(std::move(options.write)), pool,
        spdlog::async_overflow_policy::overrun_oldest);
    // The level was checked already; spdlog's own default would drop debug lines.
    logger->set_level(spdlog::level::trace);
  }

  const Clock& clock;
  const bool json;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
};

namespace {

// The installed logger. Writers hold the lock shared for the time of queueing one line.
std::shared_mutex g_mutex;
Logging::State* g_state = nullptr;
std::atomic<LogLevel> g_level{LogLevel::off};

}  // namespace

bool log_enabled(LogLevel level) noexcept {
  return level >= g_level.load(std::memory_order_relaxed) && level != LogLevel::off;
}

void log_at(LogLevel level, std::string_view message, LogFields fields) noexcept {
  if (!log_enabled(level)) return;
  try {
    const std::shared_lock lock(g_mutex);
    if (g_state == nullptr) return;
    const UnixMs now = g_state->clock.now();
    const std::string line = g_state->json ? json_line(now, level, message, fields)
                                           : text_line(now, level, message, fields);
    g_state->logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  } catch (...) {  // no memory, no lock: the line is lost, the caller goes on
    ++g_lost_by_reader;
  }
}

std::uint64_t log_lines_dropped() noexcept {
  std::uint64_t count = g_lost_by_reader + g_lost_in_queues;
  try {
    const std::shared_lock lock(g_mutex);
    if (g_state != nullptr) count += g_state->pool->overrun_counter();
  } catch (...) {
    return count;
  }
  return count;
}

Logging::Logging(LogOptions options, const Clock& clock) {
  const LogLevel level = options.level;
  state_ = std::make_shared<State>(std::move(options), clock);
  const std::unique_lock lock(g_mutex);
  ST_ASSERT(g_state == nullptr);
  g_state = state_.get();
  g_level = level;
}

Logging::~Logging() {
  {
    const std::unique_lock lock(g_mutex);
    g_level = LogLevel::off;
    g_state = nullptr;
  }
  g_lost_in_queues += state_->pool->overrun_counter();
}

}  // namespace sandtrail
