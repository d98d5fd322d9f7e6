// SPDX-License-Identifier: Apache-2.0
#include "base_rows.h"

#include <algorithm>
#include <charconv>

#include "base/limits.h"
#include "codec/text.h"
#include "fold_rows.h"
#include "wire/event_codec.h"
#include "wire/topics.h"

namespace sandtrail {
namespace {

bool holds(const BaseManifest& manifest, const std::vector<std::string>& projections) {
  return std::all_of(projections.begin(), projections.end(), [&](const std::string& name) {
    return std::find(manifest.projections.begin(), manifest.projections.end(), name) !=
           manifest.projections.end();
  });
}

// "events/3", as partition_key() writes it.
Result<TopicPartition> parse_partition_key(BytesView text) {
  TopicPartition out;
  const auto slash = text.find('/');
  const BytesView number = slash == BytesView::npos ? BytesView() : text.substr(slash + 1);
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), out.partition);
  if (number.empty() || parsed.ec != std::errc() || parsed.ptr != number.data() + number.size()) {
    return Error{ErrorCode::corrupt, "a base tells of a partition that has no name", ""};
  }
  out.topic = Bytes(text.substr(0, slash));
  return out;
}

// "" if the manifest is the base that is looked for.
std::string unfit_because(const BaseManifest& manifest, const TopicPartition& where, Position next,
                          const std::string& log_identity,
                          const std::vector<std::string>& projections) {
  if (manifest.topic != where.topic || manifest.partition != where.partition ||
      manifest.next != next.value) {
    return "it is not the base it is said to be";
  }
  if (manifest.log_identity != log_identity) return "it was taken of another log";
  if (manifest.format != BaseManifest().format || manifest.fold_version != kFoldVersion) {
    return "a version took it that folds in another way";
  }
  return holds(manifest, projections) ? "" : "it lacks projections";
}

}  // namespace

Status BaseFinder::load() {
  if (told_) return {};
  if (!objects_) {
    ST_ASSIGN(objects_, open_());
  }
  std::vector<Told> told;
  ST_CHECK_OK(read_platform(told));
  told_ = std::move(told);
  return {};
}

Status BaseFinder::read_platform(std::vector<Told>& into) {
  const TopicPartition platform{std::string(kPlatformTopic), 0};
  ST_ASSIGN(const Marks marks, log_.marks(platform));
  ST_ASSIGN(const auto reader, log_.open_reader(platform, marks.low));
  for (Position at = marks.low; at < marks.high;) {
    ST_ASSIGN(const ReadBatch batch, reader->poll(limits::kReadBatchBytesMax));
    for (const StoredRecord& stored : batch.records) {
      // Whether it counts cannot be known before the fold has come by: a base proves itself by its
      // digests, and a fold that begins at another state than others have is stopped by them.
      const auto decoded = decode_event(stored.record, versions_);
      const auto* event = std::get_if<Event>(&decoded);
      const auto* taken = event == nullptr ? nullptr : std::get_if<LogBaseTaken>(&event->body);
      if (taken == nullptr) continue;
      into.push_back({{taken->topic, static_cast<std::int32_t>(taken->partition)},
                      {taken->next},
                      taken->manifest.bytes});
    }
    if (batch.records.empty() && batch.next <= at) {
      return Error{ErrorCode::unavailable, "the log gives no records of platform for now", ""};
    }
    at = batch.next;
  }
  return marks.low == Position{0} ? Status() : read_platform_base(into);
}

// What `platform` told of before its own base stands among that base's rows: newest ones only.
Status BaseFinder::read_platform_base(std::vector<Told>& into) {
  static const Bytes kRows = Bytes("C") + CoreState().bases.letter();
  const std::vector<Told> tail = into;
  for (auto one = tail.rbegin(); one != tail.rend(); ++one) {
    if (one->where.topic != kPlatformTopic) continue;
    std::vector<Told> older;
    const auto manifest = read_base(*objects_, one->manifest);
    Status status = manifest.ok() ? Status() : Status(manifest.error());
    if (status.ok()) {
      status = for_each_row(*objects_, *manifest, [&](BytesView key, BytesView value) -> Status {
        if (!key.starts_with(kRows)) return {};
        ST_ASSIGN(const BaseRow row, from_text<BaseRow>(value));
        ST_ASSIGN(const TopicPartition where, parse_partition_key(key.substr(kRows.size())));
        older.push_back({where, {row.next}, row.manifest.bytes});
        return {};
      });
    }
    if (!status.ok() && status.error().retryable()) return status;
    if (!status.ok()) continue;  // an older base of it may do
    into.insert(into.begin(), older.begin(), older.end());
    return {};
  }
  return {};
}

Result<BaseManifest> BaseFinder::find(const TopicPartition& where, Position low,
                                      const std::vector<std::string>& projections) {
  const std::lock_guard lock(mutex_);
  ST_CHECK_OK(load());
  std::string because = "none was taken";
  for (auto one = told_->rbegin(); one != told_->rend(); ++one) {
    if (one->where != where || one->next < low) continue;
    const auto manifest = read_base(*objects_, one->manifest);
    if (manifest.ok()) {
      because = unfit_because(*manifest, where, one->next, log_.identity(), projections);
      if (because.empty()) return manifest;
    } else if (manifest.error().retryable()) {
      return manifest.error();
    } else {
      because = manifest.error().message;
    }
  }
  return Error{ErrorCode::not_found,
               where.text() + " was trimmed up to " + std::to_string(low.value) +
                   ", and there is no base to begin from: " + because,
               "restore the log or its bases from a backup, or run the version that took them"};
}

Status load_base(const ObjectStore& objects, const BaseManifest& manifest,
                 const std::vector<std::string>& projections, KvStore& store) {
  const TopicPartition where{manifest.topic, static_cast<std::int32_t>(manifest.partition)};
  const Bytes prefix = partition_prefix(where);
  std::vector<Bytes> wanted{"C"};
  for (const std::string& name : projections) wanted.push_back("P" + name + '\0');

  WriteBatch batch;
  std::size_t bytes = 0;
  const auto write = [&] {
    const Status status = store.write(batch, KvStore::Sync::no);
    batch.clear();
    bytes = 0;
    return status;
  };
  ST_CHECK_OK(for_each_row(objects, manifest, [&](BytesView key, BytesView value) -> Status {
    const bool is_wanted = std::any_of(wanted.begin(), wanted.end(), [key](const Bytes& start) {
      return key.substr(0, start.size()) == start;
    });
    if (!is_wanted) return {};
    batch.put(prefix + Bytes(key), Bytes(value));
    bytes += key.size() + value.size();
    return bytes < limits::kBasePartBytesMax ? Status() : write();
  }));
  FoldMeta meta;
  meta.log_identity = manifest.log_identity;
  meta.fold_version = manifest.fold_version;
  meta.projections = projections;
  meta.next = manifest.next;
  meta.digest = manifest.digest;
  meta.last = manifest.last;
  meta.void_records = manifest.void_records;
  // Last: without it the rows are no fold.
  batch.put(meta_key(where), to_text(meta));
  return write();
}

}  // namespace sandtrail
