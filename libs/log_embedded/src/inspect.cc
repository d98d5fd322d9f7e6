// SPDX-License-Identifier: Apache-2.0
#include "log_embedded/inspect.h"

#include <unistd.h>

#include <filesystem>

#include "log_embedded/embedded_log.h"
#include "log_embedded/head_mark.h"
#include "recovery.h"

namespace sandtrail {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCopy = "/inspected";

struct Removed {
  std::string path;
  explicit Removed(std::string at) : path(std::move(at)) { remove(); }
  ~Removed() { remove(); }
  Removed(const Removed&) = delete;
  Removed& operator=(const Removed&) = delete;
  void remove() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

// Table files are never written again, only removed: links to them cost nothing. All others are
// extended or cut by an open.
Status copy_log(const std::string& from, const std::string& to) {
  try {
    fs::create_directories(to + "/records");
    fs::permissions(to, fs::perms::owner_all);
    for (const char* name : {"/identity", "/head"}) {
      if (fs::exists(from + name)) fs::copy_file(from + name, to + name);
    }
    if (!fs::exists(from + "/records")) return {};
    for (const auto& entry : fs::directory_iterator(from + "/records")) {
      const fs::path copy = fs::path(to) / "records" / entry.path().filename();
      if (entry.path().extension() == ".sst") {
        fs::create_hard_link(entry.path(), copy);
      } else if (entry.is_regular_file()) {
        fs::copy_file(entry.path(), copy);
      }
    }
  } catch (const fs::filesystem_error& error) {
    return errno_error("cannot copy " + from + " to look at it", error.code().value());
  }
  return {};
}

Status note_tails(EventLog& log, const std::vector<std::string>& topics, LogCondition& out) {
  for (const std::string& topic : topics) {
    for (std::int32_t i = 0; i < log.partitions(topic); ++i) {
      ST_ASSIGN(const Marks marks, log.marks({topic, i}));
      out.found[{topic, i}] = marks.high;
    }
  }
  return {};
}

}  // namespace

Result<LogCondition> inspect_embedded_log(const std::string& directory,
                                          const std::vector<std::string>& topics,
                                          const Clock& clock, Random& random,
                                          const std::function<Status(EventLog&)>& look) {
  ST_ASSIGN(const embedded::Parts parts, embedded::look_at(directory));
  if (!parts.has_records && !parts.has_head()) {
    return Error{ErrorCode::not_found, "there is no log in " + directory, ""};
  }
  ST_ASSIGN(const UniqueFd lock, embedded::lock_log_directory(directory));
  const Removed copy(directory + kCopy);
  ST_CHECK_OK(copy_log(directory, copy.path));
  LogCondition out;
  out.identity = parts.identity;
  if (parts.head.ok()) {
    out.identity = parts.head->identity;
    for (const HeadMark::Mark& mark : parts.head->marks) {
      out.marked[mark.where] = mark.tail;
    }
  }
  EmbeddedLogOptions options;
  auto log = open_embedded_log(copy.path, options, clock, random);
  if (!log.ok()) {
    const ErrorCode code = log.error().code;
    if (code != ErrorCode::conflict && code != ErrorCode::corrupt) return log.error();
    out.loss = log.error().message;
    options.accept_loss = true;
    log = open_embedded_log(copy.path, options, clock, random);
  }
  if (!log.ok()) return log.error();
  ST_CHECK_OK(note_tails(**log, topics, out));
  ST_CHECK_OK(look(**log));
  return out;
}

}  // namespace sandtrail
