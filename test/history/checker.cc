// SPDX-License-Identifier: Apache-2.0
#include "checker.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "codec/json.h"

namespace sandtrail::history {
namespace {

constexpr std::size_t kExamplesMax = 5;

// What became of one value, over all its appends.
struct Fate {
  std::vector<const AppendCall*> calls;
  std::vector<std::int64_t> positions;  // where it was read, each once

  bool any(Outcome outcome) const {
    return std::any_of(calls.begin(), calls.end(),
                       [outcome](const AppendCall* call) { return call->outcome == outcome; });
  }
  bool is_at(std::int64_t position) const {
    return std::find(positions.begin(), positions.end(), position) != positions.end();
  }
};

std::string process_of(const std::string& client) {
  return client.substr(0, client.find('/'));
}

class Checker {
 public:
  Checker(const History& history, const CheckOptions& options)
      : history_(history), options_(options) {}

  Report run() {
    count();
    for (const AppendCall& call : history_.appends) partition(call.partition).add(call);
    for (const PollCall& poll : history_.polls) take(poll);
    for (auto& [number, part] : partitions_) {
      part.merge_passed();
      check_fates(number, part);
    }
    for (const AppendCall& call : history_.appends) check_committed(call);
    for (const PollCall& poll : history_.polls) check_skips(poll);
    check_order();
    check_marks();
    return std::move(report_);
  }

 private:
  struct Partition {
    std::unordered_map<std::string, Fate> fates;
    std::map<std::int64_t, std::string> read;                   // what was read at a position
    std::map<std::int64_t, std::string> acknowledged;           // what was told to stand there
    std::vector<std::pair<std::int64_t, std::int64_t>> passed;  // [from, next) of readers
    void add(const AppendCall& call) { fates[call.value].calls.push_back(&call); }
    void merge_passed();
    bool is_passed(std::int64_t position) const;
  };

  Partition& partition(std::int32_t number) { return partitions_[number]; }
  void found(const char* anomaly, std::int32_t partition, const std::string& what);
  void count();
  void take(const PollCall& poll);
  void check_fates(std::int32_t number, const Partition& part);
  void check_committed(const AppendCall& call);
  void check_skips(const PollCall& poll);
  void check_order();
  void check_marks();

  // Who shares what is known of marks.
  std::string knower(const std::string& client) const {
    return options_.marks_by_process ? process_of(client) : "";
  }

  const History& history_;
  const CheckOptions options_;
  Report report_;
  std::map<std::int32_t, Partition> partitions_;
};

std::string at(std::int64_t position) {
  return " at " + std::to_string(position);
}

void Checker::Partition::merge_passed() {
  std::sort(passed.begin(), passed.end());
  std::vector<std::pair<std::int64_t, std::int64_t>> merged;
  for (const auto& [from, next] : passed) {
    if (!merged.empty() && from <= merged.back().second) {
      merged.back().second = std::max(merged.back().second, next);
    } else {
      merged.emplace_back(from, next);
    }
  }
  passed = std::move(merged);
}

bool Checker::Partition::is_passed(std::int64_t position) const {
  const auto after = std::upper_bound(passed.begin(), passed.end(), std::pair(position, INT64_MAX));
  return after != passed.begin() && std::prev(after)->second > position;
}

void Checker::found(const char* anomaly, std::int32_t partition, const std::string& what) {
  Report::Found& entry = report_.anomalies[anomaly];
  if (++entry.count <= static_cast<std::int64_t>(kExamplesMax)) {
    entry.examples.push_back("partition " + std::to_string(partition) + ": " + what);
  }
}

void Checker::count() {
  report_.appends = static_cast<std::int64_t>(history_.appends.size());
  for (const AppendCall& call : history_.appends) {
    report_.committed += call.outcome == Outcome::ok;
    report_.not_committed += call.outcome == Outcome::failed;
    report_.unknown += call.outcome == Outcome::unknown;
  }
  report_.polls = static_cast<std::int64_t>(history_.polls.size());
  report_.marks = static_cast<std::int64_t>(history_.marks.size());
}

// One poll by itself, and what it tells of positions.
void Checker::take(const PollCall& poll) {
  if (poll.outcome != Outcome::ok) {
    return found("refused-read", poll.partition, poll.client + ": " + poll.error);
  }
  Partition& part = partition(poll.partition);
  std::int64_t last = poll.from - 1;
  for (const auto& [position, value] : poll.got) {
    ++report_.read;
    if (position <= last || position >= poll.next) {
      found("nonmonotonic-poll", poll.partition,
            poll.client + " got" + at(position) + " reading from " + std::to_string(poll.from) +
                " to " + std::to_string(poll.next));
    }
    last = std::max(last, position);
    const auto [known, fresh] = part.read.try_emplace(position, value);
    if (!fresh && known->second != value) {
      found("inconsistent-offsets", poll.partition, known->second + " and " + value + at(position));
    }
    Fate& fate = part.fates[value];
    if (!fate.is_at(position)) fate.positions.push_back(position);
  }
  if (poll.next < poll.from) {
    found("nonmonotonic-poll", poll.partition, poll.client + " was sent back" + at(poll.next));
  }
  part.passed.emplace_back(poll.from, poll.next);
}

void Checker::check_fates(std::int32_t number, const Partition& part) {
  for (const auto& [value, fate] : part.fates) {
    if (fate.positions.empty()) continue;
    const bool unknown = fate.any(Outcome::unknown);
    if (fate.calls.empty()) {
      found("phantom", number, "nobody appended " + value + at(fate.positions[0]));
    } else if (!unknown && !fate.any(Outcome::ok)) {
      found("phantom", number, value + " was not committed, and is there" + at(fate.positions[0]));
    }
    const bool repeated = fate.positions.size() > 1;
    if (repeated && options_.copies_of_committed && fate.any(Outcome::ok)) {
      ++report_.committed_repeated;
    } else if (repeated && !unknown && !fate.calls.empty()) {
      found("duplicate", number, value + at(fate.positions[0]) + " and" + at(fate.positions[1]));
    }
    if (unknown) ++(repeated ? report_.unknown_repeated : report_.unknown_there);
  }
}

void Checker::check_committed(const AppendCall& call) {
  if (call.outcome != Outcome::ok) return;
  Partition& part = partition(call.partition);
  const Fate& fate = part.fates.at(call.value);
  const std::string told = call.value + ", acknowledged" + at(call.position);
  const auto [known, fresh] = part.acknowledged.try_emplace(call.position, call.value);
  const auto there = part.read.find(call.position);
  if (!fresh && known->second != call.value) {
    found("inconsistent-offsets", call.partition, told + " as was " + known->second);
  } else if (there != part.read.end() && there->second != call.value) {
    found("inconsistent-offsets", call.partition, told + ", where " + there->second + " stands");
  } else if (!fate.positions.empty() && !fate.is_at(call.position)) {
    found("inconsistent-offsets", call.partition, told + ", stands" + at(fate.positions[0]));
  }
  if (!fate.positions.empty()) return;
  const bool passed = part.is_passed(call.position);
  found(passed ? "lost-write" : "unseen", call.partition, told);
}

void Checker::check_skips(const PollCall& poll) {
  if (poll.outcome != Outcome::ok) return;
  const Partition& part = partition(poll.partition);
  std::set<std::int64_t> got;
  for (const auto& one : poll.got) got.insert(one.first);
  for (auto there = part.read.lower_bound(poll.from);
       there != part.read.end() && there->first < poll.next; ++there) {
    if (got.contains(there->first)) continue;
    found("poll-skip", poll.partition,
          poll.client + " did not get " + there->second + at(there->first));
  }
}

void Checker::check_order() {
  std::map<std::pair<std::string, std::int32_t>, std::pair<std::int64_t, std::string>> last;
  for (const AppendCall& call : history_.appends) {
    if (call.outcome != Outcome::ok) continue;
    const auto& positions = partition(call.partition).fates.at(call.value).positions;
    const std::int64_t position =
        positions.empty() ? call.position : *std::min_element(positions.begin(), positions.end());
    const auto [before, first] =
        last.try_emplace({call.client, call.partition}, position, call.value);
    if (first) continue;
    if (position < before->second.first) {
      found("reordered", call.partition,
            call.value + at(position) + " came after " + before->second.second +
                at(before->second.first));
    }
    before->second = {position, call.value};
  }
}

void Checker::check_marks() {
  // Since when which position was known to be below the mark.
  using Facts = std::vector<std::pair<std::int64_t, std::int64_t>>;
  std::map<std::pair<std::string, std::int32_t>, Facts> known;
  for (const AppendCall& call : history_.appends) {
    if (call.outcome != Outcome::ok) continue;
    known[{knower(call.client), call.partition}].emplace_back(call.ended_us, call.position + 1);
  }
  for (const PollCall& poll : history_.polls) {
    if (poll.got.empty()) continue;
    known[{knower(poll.client), poll.partition}].emplace_back(poll.ended_us,
                                                              poll.got.back().first + 1);
  }
  for (const MarksCall& call : history_.marks) {
    known[{knower(call.client), call.partition}].emplace_back(call.ended_us, call.high);
  }
  for (auto& [who, facts] : known) {
    std::sort(facts.begin(), facts.end());
    std::int64_t highest = 0;
    for (auto& fact : facts) fact.second = highest = std::max(highest, fact.second);
  }
  for (const MarksCall& call : history_.marks) {
    const Facts& facts = known[{knower(call.client), call.partition}];
    const auto later =
        std::lower_bound(facts.begin(), facts.end(), std::pair(call.called_us, INT64_MIN));
    if (later == facts.begin() || std::prev(later)->second <= call.high) continue;
    found("stale-marks", call.partition,
          call.client + " was told " + std::to_string(call.high) + " after " +
              std::to_string(std::prev(later)->second) + " was known");
  }
}

std::vector<std::pair<std::string, std::int64_t>> counts_of(const Report& report) {
  return {{"appends", report.appends},
          {"committed", report.committed},
          {"not_committed", report.not_committed},
          {"unknown", report.unknown},
          {"committed_repeatedly", report.committed_repeated},
          {"unknown_there_once", report.unknown_there},
          {"unknown_there_repeatedly", report.unknown_repeated},
          {"polls", report.polls},
          {"records_read", report.read},
          {"marks", report.marks}};
}

std::int64_t count_of(const Report& report, const char* anomaly) {
  const auto found = report.anomalies.find(anomaly);
  return found == report.anomalies.end() ? 0 : found->second.count;
}

std::string row(const std::string& name, std::int64_t count) {
  constexpr std::size_t kWidth = 26;
  return name + std::string(kWidth - name.size(), ' ') + std::to_string(count) + "\n";
}

}  // namespace

Report check(const History& history, const CheckOptions& options) {
  return Checker(history, options).run();
}

std::string table_of(const Report& report) {
  std::string out;
  for (const auto& [name, count] : counts_of(report)) out += row(name, count);
  out += "\n";
  for (const char* anomaly : kAnomalies) {
    out += row(anomaly, count_of(report, anomaly));
    const auto found = report.anomalies.find(anomaly);
    if (found == report.anomalies.end()) continue;
    for (const std::string& example : found->second.examples) out += "    " + example + "\n";
  }
  return out;
}

std::string json_of(const Report& report) {
  json::object out;
  for (const auto& [name, count] : counts_of(report)) out[name] = count;
  json::object anomalies;
  for (const char* anomaly : kAnomalies) anomalies[anomaly] = count_of(report, anomaly);
  out["anomalies"] = std::move(anomalies);
  json::array examples;
  for (const auto& [name, found] : report.anomalies) {
    for (const std::string& example : found.examples) {
      examples.emplace_back(name + ": " + example);
    }
  }
  out["examples"] = std::move(examples);
  return json::pretty(out);
}

}  // namespace sandtrail::history
