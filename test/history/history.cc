// SPDX-License-Identifier: Apache-2.0
#include "history.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <unordered_map>

#include "codec/json.h"

namespace sandtrail::history {
namespace {

constexpr int kRunsMax = 100'000;
constexpr std::size_t kFillerBytesMax = 700;
constexpr std::string_view kSuffix = ".jsonl";

std::string_view text_of(Outcome outcome) {
  return outcome == Outcome::ok ? "ok" : outcome == Outcome::failed ? "failed" : "unknown";
}

Outcome outcome_of(std::string_view text) {
  return text == "ok" ? Outcome::ok : text == "failed" ? Outcome::failed : Outcome::unknown;
}

std::int64_t number_at(const json::object& line, std::string_view name) {
  const auto* value = line.if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

json::object line_of(std::string_view op, const std::string& client, std::int32_t partition) {
  return {{"op", op}, {"client", client}, {"partition", partition}};
}

json::object line_of(std::string_view op, const AppendCall& append) {
  json::object line = line_of(op, append.client, append.partition);
  line["value"] = append.value;
  line["called"] = append.called_us;
  return line;
}

// Lines become operations; appends are put together from their two.
class Collector {
 public:
  bool take(const json::object& line) {
    const std::string_view op = json::text_at(line, "op");
    if (op == "call") return called(line);
    if (op == "append") return ended(line);
    if (op == "poll") return polled(line);
    if (op == "marks") return told(line);
    return false;
  }
  History history;

 private:
  bool called(const json::object& line) {
    AppendCall append;
    append.client = json::text_at(line, "client");
    append.partition = static_cast<std::int32_t>(number_at(line, "partition"));
    append.value = json::text_at(line, "value");
    append.called_us = number_at(line, "called");
    open_[append.client + " " + append.value] = history.appends.size();
    history.appends.push_back(std::move(append));
    return true;
  }
  bool ended(const json::object& line) {
    const auto found = open_.find(std::string(json::text_at(line, "client")) + " " +
                                  std::string(json::text_at(line, "value")));
    if (found == open_.end()) return false;
    AppendCall& append = history.appends[found->second];
    open_.erase(found);
    append.ended_us = number_at(line, "ended");
    append.outcome = outcome_of(json::text_at(line, "outcome"));
    append.error = json::text_at(line, "error");
    if (append.outcome == Outcome::ok) append.position = number_at(line, "position");
    return true;
  }
  bool polled(const json::object& line) {
    PollCall poll;
    poll.client = json::text_at(line, "client");
    poll.session = number_at(line, "session");
    poll.partition = static_cast<std::int32_t>(number_at(line, "partition"));
    poll.called_us = number_at(line, "called");
    poll.ended_us = number_at(line, "ended");
    poll.outcome = outcome_of(json::text_at(line, "outcome"));
    poll.error = json::text_at(line, "error");
    poll.from = number_at(line, "from");
    poll.next = number_at(line, "next");
    const auto* got = line.if_contains("got");
    if (got == nullptr || !got->is_array()) return false;
    for (const json::value& one : got->get_array()) {
      if (!one.is_array() || one.get_array().size() != 2) return false;
      const auto& pair = one.get_array();
      if (!pair[0].is_int64() || !pair[1].is_string()) return false;
      poll.got.emplace_back(pair[0].get_int64(), std::string(pair[1].get_string()));
    }
    history.polls.push_back(std::move(poll));
    return true;
  }
  bool told(const json::object& line) {
    history.marks.push_back({std::string(json::text_at(line, "client")),
                             static_cast<std::int32_t>(number_at(line, "partition")),
                             number_at(line, "called"), number_at(line, "ended"),
                             number_at(line, "low"), number_at(line, "high")});
    return true;
  }

  std::unordered_map<std::string, std::size_t> open_;  // appends without an end, in the history
};

Status read_file_into(const std::string& path, Collector& collector) {
  std::ifstream file(path);
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (file.eof()) break;  // without its end: the process was killed while it wrote
    const auto parsed = json::parse(line);
    if (!parsed.ok() || !parsed->is_object() || !collector.take(parsed->get_object())) {
      return Error{ErrorCode::corrupt, path + ":" + std::to_string(number) + " is no operation",
                   ""};
    }
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<HistoryWriter>> HistoryWriter::create(const std::string& directory,
                                                             const std::string& process) {
  std::error_code ignored;
  std::filesystem::create_directories(directory, ignored);
  for (int run = 1; run <= kRunsMax; ++run) {
    const std::string path =
        directory + "/" + process + "." + std::to_string(run) + std::string(kSuffix);
    UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644));
    if (file.valid()) {
      return std::unique_ptr<HistoryWriter>(new HistoryWriter(process, run, std::move(file)));
    }
    if (errno != EEXIST) return errno_error("cannot make " + path, errno);
  }
  return Error{ErrorCode::overloaded, "too many runs of " + process, ""};
}

void HistoryWriter::write_line(std::string line) {
  line += '\n';
  const std::lock_guard lock(mutex_);
  const ssize_t written = ::write(file_.get(), line.data(), line.size());
  ST_ASSERT(written == static_cast<ssize_t>(line.size()));
}

void HistoryWriter::called(const AppendCall& append) {
  write_line(json::print(line_of("call", append)));
}

void HistoryWriter::ended(const AppendCall& append) {
  json::object line = line_of("append", append);
  line["ended"] = append.ended_us;
  line["outcome"] = text_of(append.outcome);
  if (append.outcome == Outcome::ok) {
    line["position"] = append.position;
  } else {
    line["error"] = append.error;
  }
  write_line(json::print(line));
}

void HistoryWriter::polled(const PollCall& poll) {
  json::object line = line_of("poll", poll.client, poll.partition);
  line["session"] = poll.session;
  line["called"] = poll.called_us;
  line["ended"] = poll.ended_us;
  line["outcome"] = text_of(poll.outcome);
  line["from"] = poll.from;
  line["next"] = poll.next;
  json::array got;
  for (const auto& [position, value] : poll.got) {
    json::array pair;
    pair.emplace_back(position);
    pair.emplace_back(value);
    got.emplace_back(std::move(pair));
  }
  line["got"] = std::move(got);
  if (!poll.error.empty()) line["error"] = poll.error;
  write_line(json::print(line));
}

void HistoryWriter::told(const MarksCall& marks) {
  json::object line = line_of("marks", marks.client, marks.partition);
  line["called"] = marks.called_us;
  line["ended"] = marks.ended_us;
  line["outcome"] = "ok";
  line["low"] = marks.low;
  line["high"] = marks.high;
  write_line(json::print(line));
}

Result<History> read_history(const std::string& directory) {
  // process -> run -> path
  std::map<std::string, std::map<int, std::string>> files;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(directory, failed)) {
    std::string name = entry.path().filename().string();
    if (!name.ends_with(kSuffix)) continue;
    name.resize(name.size() - kSuffix.size());
    const std::size_t dot = name.rfind('.');
    if (dot == std::string::npos) continue;
    files[name.substr(0, dot)][std::atoi(name.c_str() + dot + 1)] = entry.path().string();
  }
  if (failed) return errno_error("cannot read " + directory, failed.value());
  Collector collector;
  for (const auto& [process, runs] : files) {
    for (const auto& [run, path] : runs) ST_CHECK_OK(read_file_into(path, collector));
  }
  return std::move(collector.history);
}

namespace {

// Any length up to the limit, the same for the same value.
std::string filler_of(std::string_view value) {
  const std::size_t seed = std::hash<std::string_view>{}(value);
  return std::string(seed % kFillerBytesMax, static_cast<char>('a' + seed % 26));
}

}  // namespace

Record record_of(const std::string& value) {
  return {"history", {{"ce_id", value}}, value + "\n" + filler_of(value)};
}

std::string value_of(const Record& record) {
  const std::string value = record.value.substr(0, record.value.find('\n'));
  return record == record_of(value) ? value : "torn: " + value.substr(0, 40);
}

}  // namespace sandtrail::history
