// SPDX-License-Identifier: Apache-2.0
#include "loss_repair.h"

#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <map>
#include <mutex>

#include "base/file.h"
#include "codec/reflect.h"
#include "log_embedded/embedded_log.h"
#include "log_embedded/head_mark.h"
#include "wire/event_codec.h"
#include "wire/topics.h"

namespace sandtrail {
namespace {

constexpr std::size_t kReadBytes = 1u << 20;
constexpr std::size_t kInFlightMax = 1024;
constexpr std::size_t kIdentityShown = 8;
constexpr Millis kCloseDeadline = seconds(30);

// Appends and waits, a bounded number at a time.
class Appender {
 public:
  explicit Appender(EventLog& log) : log_(log) {}

  void append(const TopicPartition& where, Record record) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return waiting_ < kInFlightMax; });
      ++waiting_;
    }
    log_.append(where, std::move(record), [this](const AppendOutcome& outcome) {
      const std::lock_guard lock(mutex_);
      if (!outcome.committed() && status_.ok()) status_ = outcome.error;
      --waiting_;
      changed_.notify_all();
    });
  }
  // How it went, once all are answered.
  Status finish() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ == 0; });
    return status_;
  }

 private:
  EventLog& log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t waiting_ = 0;
  Status status_;
};

std::string user_name() {
  const passwd* user = ::getpwuid(::getuid());
  return user == nullptr ? "uid " + std::to_string(::getuid()) : user->pw_name;
}

}  // namespace

LossRepair::LossRepair(std::string data_directory, std::string note_path, LossNote note,
                       const Clock& clock, Random& random)
    : data_directory_(std::move(data_directory)),
      note_path_(std::move(note_path)),
      note_(std::move(note)),
      clock_(clock),
      random_(random) {}

Result<LossAccepted> LossRepair::run() {
  if (note_.old_identity.empty()) {
    const auto head = read_head_mark(data_directory_ + "/log");
    auto named = read_file(data_directory_ + "/log/identity", kReadBytes);
    while (named.ok() && named->ends_with('\n')) named->pop_back();
    note_.old_identity = head.ok() ? head->identity : named.ok() ? *named : "unknown";
  }
  ST_CHECK_OK(save_note());
  ST_CHECK_OK(open_log());
  ST_CHECK_OK(make_topics());
  for (const LostRange& lost : note_.partitions) ST_CHECK_OK(fill(lost));
  ST_CHECK_OK(say_so());
  log_->close(kCloseDeadline);
  log_.reset();
  LossAccepted out{note_.old_identity, note_.new_identity, ""};
  ST_ASSIGN(out.kept_store, move_store_aside());
  if (::unlink(note_path_.c_str()) != 0) return errno_error("cannot remove " + note_path_, errno);
  ST_CHECK_OK(sync_directory(data_directory_));
  return out;
}

Status LossRepair::save_note() {
  return write_file_durably(note_path_, json::pretty(to_json(note_)) + "\n", 0600);
}

Status LossRepair::open_log() {
  EmbeddedLogOptions options;
  options.accept_loss = true;
  options.renew_identity = note_.new_identity.empty();
  ST_ASSIGN(log_, open_embedded_log(data_directory_ + "/log", options, clock_, random_));
  note_.new_identity = log_->identity();
  return save_note();
}

Status LossRepair::make_topics() {
  std::map<std::string, std::int32_t> counts{{kPlatformTopic, 1}};
  for (const LostRange& lost : note_.partitions) {
    std::int32_t& count = counts[lost.topic];
    count = std::max(count, static_cast<std::int32_t>(lost.partition) + 1);
  }
  for (const auto& [topic, count] : counts) {
    if (log_->partitions(topic) == 0) ST_CHECK_OK(log_->ensure_topic({topic, count}));
  }
  return {};
}

Record LossRepair::lost_record() {
  Event event;
  event.id = EventId::fresh(clock_, random_);
  event.time = clock_.now();
  event.source = "/operator";
  event.body = LogRecordLost{};
  auto record = encode_event(event);
  ST_ASSERT(record.ok());  // of a few hundred bytes
  return std::move(record).value();
}

Status LossRepair::fill(const LostRange& lost) {
  const TopicPartition where{lost.topic, static_cast<std::int32_t>(lost.partition)};
  ST_ASSIGN(const Marks marks, log_->marks(where));
  Appender appender(*log_);
  for (std::int64_t at = marks.high.value; at < lost.expected; ++at) {
    appender.append(where, lost_record());
  }
  return appender.finish();
}

Result<bool> LossRepair::said_already() {
  const TopicPartition where{kPlatformTopic, 0};
  ST_ASSIGN(const Marks marks, log_->marks(where));
  ST_ASSIGN(const auto reader, log_->open_reader(where, marks.low));
  for (Position at = marks.low; at < marks.high;) {
    ST_ASSIGN(const ReadBatch batch, reader->poll(kReadBytes));
    for (const StoredRecord& stored : batch.records) {
      if (stored.record.header("ce_id") == note_.event) return true;
    }
    at = batch.next;
  }
  return false;
}

Status LossRepair::say_so() {
  ST_ASSIGN(const bool said, said_already());
  if (said) return {};
  Event event;
  const auto id = EventId::parse(note_.event);
  if (!id) return Error{ErrorCode::corrupt, note_path_ + " names no event", ""};
  event.id = *id;
  event.time = clock_.now();
  event.source = "/operator";
  Actor actor;
  actor.kind = ActorKind::op;
  actor.name = user_name();
  actor.auth_method = "data_directory";
  event.actor = std::move(actor);
  event.body =
      LogLossAccepted{note_.old_identity, note_.new_identity, note_.partitions, note_.reason};
  ST_ASSIGN(Record record, encode_event(event));
  Appender appender(*log_);
  appender.append({kPlatformTopic, 0}, std::move(record));
  return appender.finish();
}

Result<std::string> LossRepair::move_store_aside() {
  const std::string store = data_directory_ + "/store";
  std::error_code ignored;
  if (!std::filesystem::exists(store, ignored)) return std::string();
  const std::string aside = store + ".before-" + note_.new_identity.substr(0, kIdentityShown);
  if (::rename(store.c_str(), aside.c_str()) != 0) {
    return errno_error("cannot rename " + store, errno);
  }
  ST_CHECK_OK(sync_directory(data_directory_));
  return aside;
}

}  // namespace sandtrail
