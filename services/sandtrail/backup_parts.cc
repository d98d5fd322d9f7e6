// SPDX-License-Identifier: Apache-2.0
#include "backup_parts.h"

#include <filesystem>

#include "base/file.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "log_embedded/embedded_import.h"
#include "log_embedded/embedded_log.h"
#include "runtime/runtime.h"
#include "store/digest.h"
#include "store/key_copy.h"
#include "store_dir/object_store.h"
#include "store_rocksdb/key_store.h"
#include "store_rocksdb/kv_store.h"
#include "wire/topics.h"

namespace sandtrail {
namespace {

namespace fs = std::filesystem;

constexpr const char* kScratch = "/tmp";
constexpr std::size_t kBatchBytes = 1u << 20;
constexpr std::size_t kSmallFileBytesMax = 64 * 1024;
constexpr const char* kFiles[] = {"process.json", "host.json", "root.check", "audit.vkey"};

Error differs(const std::string& what) {
  return {ErrorCode::corrupt, what + " is not what backup.json says", "use another backup"};
}

Status check_store_not_ahead(const std::string& path, const BackupFile& file) {
  ST_ASSIGN(const auto store, open_rocksdb_kv_store_read_only(path, kScratch));
  for (const BackupFile::Part& part : file.parts) {
    const TopicPartition where{part.topic, static_cast<std::int32_t>(part.partition)};
    ST_ASSIGN(const auto folded, stored_fold(*store, where));
    if (!folded) continue;
    if (folded->log_identity != file.identity || folded->next.value > part.high) {
      return Error{ErrorCode::corrupt,
                   "the store has folded " + where.text() + " up to " +
                       std::to_string(folded->next.value) + ", which the log does not hold",
                   "use another backup"};
    }
  }
  return {};
}

}  // namespace

const std::vector<std::string>& topics_of_log() {
  static const std::vector<std::string> topics{kEventsTopic, kPlatformTopic, kAuditTopic};
  return topics;
}

Result<std::string> digest_of_store(const std::string& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::string();
  ST_ASSIGN(const auto store, open_rocksdb_kv_store_read_only(path, kScratch));
  ST_ASSIGN(const Bytes digest, digest_of(*store, {}, {}));
  return hex(digest);
}

Result<std::string> copy_store(const std::string& from, const std::string& to) {
  std::error_code ignored;
  if (!fs::exists(from + "/CURRENT", ignored)) return std::string();
  ST_ASSIGN(const auto source, open_rocksdb_kv_store_read_only(from, kScratch));
  ST_ASSIGN(const auto target, open_rocksdb_kv_store(to));
  WriteBatch batch;
  std::size_t bytes = 0;
  Status written;
  // One iterator: one state, which a batch of the runtime is in or not.
  ST_CHECK_OK(source->scan({}, {}, [&](BytesView key, BytesView value) {
    bytes += key.size() + value.size();
    batch.put(Bytes(key), Bytes(value));
    if (bytes < kBatchBytes) return true;
    written = target->write(batch, KvStore::Sync::no);
    batch.clear();
    bytes = 0;
    return written.ok();
  }));
  ST_CHECK_OK(written);
  ST_CHECK_OK(target->write(batch, KvStore::Sync::yes));
  ST_ASSIGN(const Bytes digest, digest_of(*target, {}, {}));
  return hex(digest);
}

Result<CopyReport> copy_embedded_log(const std::string& from, const std::string& to, Random& random,
                                     const OnCopyProgress& progress) {
  ST_ASSIGN(const auto source, open_embedded_log_read_only(from, {}));
  ST_ASSIGN(const auto target, open_embedded_import(to, source->identity(), random));
  ST_ASSIGN(CopyReport report, copy_log(*source, *target, topics_of_log(), progress));
  ST_CHECK_OK(target->finish());
  return report;
}

Status check_log(const std::string& directory, const BackupFile& file,
                 const OnCopyProgress& progress) {
  ST_ASSIGN(const auto log, open_embedded_log_read_only(directory + "/log", {}));
  if (log->identity() != file.identity) return differs("the log's identity");
  CopyProgress at;
  for (const BackupFile::Part& part : file.parts) at.total += part.high - part.low;
  for (const BackupFile::Part& part : file.parts) {
    at.where = {part.topic, static_cast<std::int32_t>(part.partition)};
    ST_ASSIGN(const Marks marks, log->marks(at.where));
    if (marks.low.value != part.low || marks.high.value != part.high) {
      return differs("the range of " + at.where.text());
    }
    ST_ASSIGN(const auto reader, log->open_reader(at.where, marks.low));
    for (Position next = marks.low; next < marks.high;) {
      ST_ASSIGN(const ReadBatch batch, reader->poll(limits::kReadBatchBytesMax));
      if (batch.records.empty()) return differs("the range of " + at.where.text());
      next = batch.next;
      at.records += static_cast<std::int64_t>(batch.records.size());
      if (progress) progress(at);
    }
  }
  if (file.store_digest.empty()) return {};
  return check_store_not_ahead(directory + "/store", file);
}

Result<ObjectSum> copy_objects(const std::string& from, const std::string& to) {
  std::unique_ptr<ObjectStore> target;
  if (!to.empty()) {
    ST_ASSIGN(target, open_directory_object_store(to));
  }
  ObjectSum sum;
  Sha256 digest;
  ST_CHECK_OK(visit_directory_objects(from, [&](const std::string& name, BytesView content) {
    digest.update(name);
    digest.update(sha256(content));
    ++sum.count;
    sum.bytes += static_cast<std::int64_t>(content.size());
    return target ? target->put(name, content) : Status();
  }));
  sum.digest = hex(digest.finish());
  return sum;
}

Result<KeySum> sum_of_keys(const KeyStore& keys) {
  std::map<DataKeyId, Bytes> all;
  ST_CHECK_OK(keys.list([&](const WrappedKey& key) {
    all[key.id] =
        sha256_of({key.id.view(), key.org.view(), key.wrapped, std::to_string(key.created.count)});
    return true;
  }));
  Sha256 digest;
  for (const auto& [id, one] : all) digest.update(one);
  return KeySum{static_cast<std::int64_t>(all.size()), hex(digest.finish())};
}

Result<KeySum> copy_key_store(const std::string& from, const std::string& to) {
  ST_ASSIGN(const auto source, open_rocksdb_key_store_read_only(from, kScratch));
  ST_ASSIGN(const auto target, open_rocksdb_key_store(to));
  ST_CHECK_OK(copy_keys(*source, *target, nullptr));
  return sum_of_keys(*target);
}

Result<std::map<std::string, std::string>> copy_files(const std::string& from,
                                                      const std::string& to) {
  std::map<std::string, std::string> out;
  ST_CHECK_OK(make_directories(to, 0700));
  for (const char* name : kFiles) {
    const auto content = read_file(from + "/" + name, kSmallFileBytesMax);
    if (!content.ok() && content.error().code == ErrorCode::not_found) continue;
    if (!content.ok()) return content.error();
    const bool is_public = std::string_view(name) == "audit.vkey";
    ST_CHECK_OK(write_file_durably(to + "/" + name, *content, is_public ? 0644 : 0600));
    out[name] = hex(sha256(*content));
  }
  return out;
}

Status check_files(const std::string& directory, const BackupFile& file) {
  for (const auto& [name, digest] : file.files) {
    ST_ASSIGN(const Bytes content, read_file(directory + "/files/" + name, kSmallFileBytesMax));
    if (hex(sha256(content)) != digest) return differs("files/" + name);
  }
  return {};
}

}  // namespace sandtrail
