// SPDX-License-Identifier: Apache-2.0
// log cat, log tail
#include <condition_variable>
#include <deque>
#include <mutex>

#include "api.h"
#include "commands.h"
#include "config/nearest.h"
#include "domain/event.h"
#include "log_fold.h"
#include "session.h"

namespace sandtrail::cli {
namespace {

constexpr std::string_view kTypePrefix = "sandtrail.";
constexpr std::int64_t kTailDefault = 10;

struct LogOptions {
  std::string topic;
  std::optional<std::int64_t> partition, from, count;
  std::string type;
  std::string org;
  bool no_follow = false;
};

bool type_fits(std::string_view type, std::string_view wanted) {
  if (wanted.empty()) return true;
  if (type.starts_with(kTypePrefix)) type.remove_prefix(kTypePrefix.size());
  if (wanted.starts_with(kTypePrefix)) wanted.remove_prefix(kTypePrefix.size());
  if (wanted.ends_with(".*")) return type.starts_with(wanted.substr(0, wanted.size() - 1));
  return type == wanted;
}

bool fits(const LogOptions& o, const StoredRecord& stored) {
  return stored.position.value >= o.from.value_or(0) &&
         (o.org.empty() || stored.record.key == o.org) &&
         type_fits(stored.record.header("ce_type").value_or(""), o.type);
}

// What is wrong with the filters; "" if nothing. A typing error must not look like an empty log.
std::string wrong_filter(const LogOptions& o) {
  if (!o.org.empty() && !OrgId::parse(o.org)) return "--org is no organisation's id: " + o.org;
  if (o.type.empty()) return "";
  bool known = false;
  std::vector<std::string> types;
  for_each_event_type([&]<typename T>() {
    known = known || type_fits(T::kType, o.type);
    types.emplace_back(T::kType.substr(kTypePrefix.size()));
  });
  if (known) return "";
  const std::string meant = nearest(o.type, types);
  return "there is no type '" + o.type + "'" +
         (meant.empty() ? "; write execution.finished, or execution.* for all of a kind"
                        : "; did you mean '" + meant + "'?");
}

std::string header(const Record& record, std::string_view name) {
  return printable(record.header(name).value_or(""));
}

// Verdicts need the whole history of the partition.
std::string verdict_of(const JudgedRecord& judged, bool from_beginning) {
  if (!from_beginning) return "unknown";
  return judged.judgement.applied() ? "applied" : std::string(enum_text(judged.judgement.reason));
}

std::string json_line(const TopicPartition& where, const JudgedRecord& judged, bool whole) {
  const StoredRecord& stored = judged.stored;
  json::object out;
  out["topic"] = json::value(std::string_view(where.topic));
  out["partition"] = where.partition;
  out["position"] = stored.position.value;
  out["stamp"] = json::value(std::string_view(rfc3339(stored.stamp)));
  out["verdict"] = json::value(std::string_view(verdict_of(judged, whole)));
  if (is_utf8(stored.record.key)) out["key"] = json::value(std::string_view(stored.record.key));
  json::object headers;
  for (const auto& [name, value] : stored.record.headers) {
    if (is_utf8(name) && is_utf8(value)) headers[name] = json::value(std::string_view(value));
  }
  out["headers"] = std::move(headers);
  auto value = json::parse(stored.record.value);
  if (value.ok()) {
    out["value"] = std::move(*value);
  } else {
    out["value_base64"] = json::value(std::string_view(base64(stored.record.value)));
  }
  return json::print(out);
}

std::string text_line(const Session& session, const TopicPartition& where,
                      const JudgedRecord& judged, bool whole) {
  const StoredRecord& stored = judged.stored;
  std::string type = header(stored.record, "ce_type");
  if (type.starts_with(kTypePrefix)) type.erase(0, kTypePrefix.size());
  std::string out = where.text() + "/" + std::to_string(stored.position.value) + "  " +
                    rfc3339(stored.stamp) + "  " + type + "  " +
                    header(stored.record, "ce_subject");
  const std::string verdict = verdict_of(judged, whole);
  if (verdict == "unknown") return out;
  return out + "  " +
         (judged.judgement.applied() ? session.painted(verdict, Color::dim)
                                     : session.painted("void(" + verdict + ")", Color::red));
}

// Reads the chosen partitions and shows what fits.
class Viewer {
 public:
  Viewer(Session& session, const LogOptions& options) : session_(session), options_(options) {}

  Status open();
  // Shows what fits below the limits, at most `count`; false once nobody reads.
  Result<bool> show(std::int64_t count);
  // The same, but of all of it only the last `count`.
  Result<bool> show_last(std::size_t count);
  // Goes on with what comes, until nobody reads.
  Status follow();

 private:
  std::string line_of(const PartitionFolder& folder, const JudgedRecord& judged) const {
    return session_.globals.json
               ? json_line(folder.where(), judged, folder.from_beginning())
               : text_line(session_, folder.where(), judged, folder.from_beginning());
  }

  Session& session_;
  const LogOptions& options_;
  std::unique_ptr<EventLog> log_;
  std::vector<std::unique_ptr<PartitionFolder>> folders_;
};

Status Viewer::open() {
  ST_ASSIGN(log_, session_.open_log());
  ST_ASSIGN(auto partitions, partitions_of(*log_, options_.topic));
  if (options_.partition) {
    const auto wanted = *options_.partition;
    if (wanted < 0 || wanted >= static_cast<std::int64_t>(partitions.size())) {
      return Error{ErrorCode::invalid_argument,
                   options_.topic + " has no partition " + std::to_string(wanted),
                   "it has " + std::to_string(partitions.size())};
    }
    partitions = {partitions[static_cast<std::size_t>(wanted)]};
  }
  for (const TopicPartition& where : partitions) {
    ST_ASSIGN(auto folder, PartitionFolder::open(*log_, where));
    if (!folder->from_beginning()) {
      session_.note(where.text() + " was trimmed: verdicts are not known");
    }
    folders_.push_back(std::move(folder));
  }
  return {};
}

Result<bool> Viewer::show(std::int64_t count) {
  for (const auto& folder : folders_) {
    while (count > 0) {
      ST_ASSIGN(const JudgedRecord* judged, folder->next());
      if (judged == nullptr) break;
      if (!fits(options_, judged->stored)) continue;
      if (!session_.line(line_of(*folder, *judged))) return false;
      --count;
    }
  }
  return true;
}

Result<bool> Viewer::show_last(std::size_t count) {
  for (const auto& folder : folders_) {
    std::deque<std::string> last;
    while (true) {
      ST_ASSIGN(const JudgedRecord* judged, folder->next());
      if (judged == nullptr) break;
      if (!fits(options_, judged->stored)) continue;
      last.push_back(line_of(*folder, *judged));
      if (last.size() > count) last.pop_front();
    }
    for (const std::string& line : last) {
      if (!session_.line(line)) return false;
    }
  }
  return true;
}

Status Viewer::follow() {
  struct Wake {
    std::mutex mutex;
    std::condition_variable changed;
    bool woken = true;  // what came before the subscription
  };
  const auto wake = std::make_shared<Wake>();
  std::vector<std::shared_ptr<void>> subscriptions;
  for (const auto& folder : folders_) {
    subscriptions.push_back(log_->subscribe(folder->where(), [wake] {
      const std::lock_guard lock(wake->mutex);
      wake->woken = true;
      wake->changed.notify_all();
    }));
  }
  while (true) {
    {
      std::unique_lock lock(wake->mutex);
      wake->changed.wait(lock, [&] { return wake->woken; });
      wake->woken = false;
    }
    for (const auto& folder : folders_) ST_CHECK_OK(folder->extend());
    ST_ASSIGN(const bool read, show(std::numeric_limits<std::int64_t>::max()));
    if (!read) return {};
  }
}

int cat(Session& session, LogOptions& o) {
  if (const std::string wrong = wrong_filter(o); !wrong.empty()) return session.usage(wrong);
  Viewer viewer(session, o);
  if (const Status status = viewer.open(); !status.ok()) return session.fail(status.error());
  const auto shown = viewer.show(o.count.value_or(std::numeric_limits<std::int64_t>::max()));
  return shown.ok() ? 0 : session.fail(shown.error());
}

int tail(Session& session, LogOptions& o) {
  const std::int64_t count = o.count.value_or(kTailDefault);
  if (count < 0 || count > 1'000'000) return session.usage("-n must be 0 to 1000000");
  if (const std::string wrong = wrong_filter(o); !wrong.empty()) return session.usage(wrong);
  Viewer viewer(session, o);
  if (const Status status = viewer.open(); !status.ok()) return session.fail(status.error());
  const auto shown = viewer.show_last(static_cast<std::size_t>(count));
  if (!shown.ok()) return session.fail(shown.error());
  if (!*shown || o.no_follow) return 0;
  const Status status = viewer.follow();
  return status.ok() ? 0 : session.fail(status.error());
}

void options(Options& to, LogOptions& o) {
  to.argument("TOPIC", o.topic, "events, platform or audit");
  to.number("--partition", o.partition, "only this one");
  to.number("--from", o.from, "only from this position on");
  to.text("--type", o.type, "only this type, like execution.finished or execution.*");
  to.text("--org", o.org, "only of this organisation");
}

}  // namespace

Commands log_commands() {
  return {
      make_command<LogOptions>(
          "log cat", "Print records of the log, each with the fold's verdict",
          "sandtrail log cat events --org org_…\n"
          "sandtrail log cat events --partition 2 --from 100 -n 20 --json",
          [](Options& to, LogOptions& o) {
            options(to, o);
            to.number("-n,--limit", o.count, "how many at most");
          },
          cat),
      make_command<LogOptions>(
          "log tail", "Print the last records of each partition and what comes",
          "sandtrail log tail events --type 'execution.*'\n"
          "sandtrail log tail audit -n 100 --no-follow",
          [](Options& to, LogOptions& o) {
            options(to, o);
            to.number("-n,--last", o.count, "how many of each partition; 10 unless given");
            to.flag("--no-follow", o.no_follow, "end there");
          },
          tail),
  };
}

}  // namespace sandtrail::cli
