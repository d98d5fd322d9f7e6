// SPDX-License-Identifier: Apache-2.0
#include "store_rocksdb/key_store.h"

#include <rocksdb/write_batch.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/limits.h"
#include "rocks.h"
#include "store_rocksdb/on_env.h"

namespace sandtrail {
namespace {

// Key: the 16 bytes of the id. Value: version 0x01 ‖ organisation (16) ‖ created, Unix
// milliseconds (8, big endian) ‖ wrapped bytes to the end.
constexpr char kValueVersion = 1;
constexpr std::size_t kHeaderBytes = 1 + 16 + 8;
constexpr std::size_t kListChunk = 256;
constexpr std::string_view kCorruptHint = "restore the directory from its backup";

Bytes encode(const WrappedKey& key) {
  Bytes out(1, kValueVersion);
  out += key.org.view();
  put_be64(out, static_cast<std::uint64_t>(key.created.count));
  out += key.wrapped;
  return out;
}

Result<WrappedKey> decode(BytesView id, BytesView value) {
  if (id.size() != 16 || value.size() <= kHeaderBytes || value[0] != kValueVersion) {
    return Error{ErrorCode::corrupt, "a stored data key has another format",
                 "restore the key store from its backup"};
  }
  WrappedKey key;
  key.id = DataKeyId::derived(id);
  key.org = OrgId::derived(value.substr(1));
  key.created.count = static_cast<std::int64_t>(get_be64(value.substr(17)));
  key.wrapped = value.substr(kHeaderBytes);
  return key;
}

// Two threads. The writer takes all requests that wait, up to a batch, and writes them with one
// fsync; it answers puts and passes destroys on. The rewriter takes all destroys that were passed
// on and rewrites their files once; meanwhile puts go on, and the next destroys gather.
class RocksDbKeyStore final : public KeyStore {
 public:
  RocksDbKeyStore(std::unique_ptr<rocksdb::DB> db, std::uint64_t free_bytes_min,
                  std::optional<rocks::Scratch> scratch = {})
      : scratch_(std::move(scratch)),
        db_(std::move(db)),
        free_bytes_min_(free_bytes_min),
        writer_([this] { run_writer(); }),
        rewriter_([this] { run_rewriter(); }) {}

  ~RocksDbKeyStore() override {
    finish(writer_, closing_writer_);
    // Only now, as the writer passes on what it drains.
    finish(rewriter_, closing_rewriter_);
  }

  void put(WrappedKey key, Done done) override {
    if (const Status status = check_wrapped_key(key); !status.ok()) return done(status);
    submit({std::move(key), false, std::move(done)});
  }

  void destroy(const DataKeyId& id, Done done) override {
    WrappedKey key;
    key.id = id;
    submit({std::move(key), true, std::move(done)});
  }

  Result<WrappedKey> get(const DataKeyId& id) const override {
    Bytes value;
    const auto status = db_->Get(rocksdb::ReadOptions(), rocks::slice(id.view()), &value);
    if (status.IsNotFound()) return Error{ErrorCode::not_found, "no such data key", ""};
    if (!status.ok()) return rocks::error_of("cannot read a data key", status);
    return decode(id.view(), value);
  }

  Status list(const std::function<bool(const WrappedKey&)>& visit) const override {
    Bytes from;
    for (;;) {
      // In chunks, because an open iterator keeps old files from being deleted.
      ST_ASSIGN(const std::vector<WrappedKey> chunk, read_chunk(from));
      for (const WrappedKey& key : chunk) {
        if (!visit(key)) return {};
      }
      if (chunk.size() < kListChunk) return {};
      from = chunk.back().id.view();
      from += '\0';  // the next key there can be
    }
  }

 private:
  struct Request {
    WrappedKey key;  // of a destroy only the id
    bool destroy = false;
    Done done;
    Status status = {};
  };

  void submit(Request request) {
    {
      const std::lock_guard lock(mutex_);
      if (unanswered_ < limits::kKeyStoreQueueMax) {
        ++unanswered_;
        queue_.push_back(std::move(request));
        wake_.notify_all();
        return;
      }
    }
    request.done(Error{ErrorCode::overloaded, "too many requests wait for the key store", ""});
  }

  void answer(std::vector<Request> requests) {
    {
      const std::lock_guard lock(mutex_);
      unanswered_ -= requests.size();
    }
    for (Request& request : requests) request.done(std::move(request.status));
  }

  void finish(std::thread& thread, bool& closing) {
    {
      const std::lock_guard lock(mutex_);
      closing = true;
    }
    wake_.notify_all();
    thread.join();
  }

  // Up to `max` requests, once there are any; none when closing.
  std::vector<Request> take(std::deque<Request>& queue, std::size_t max, const bool& closing) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return closing || !queue.empty(); });
    const auto count = static_cast<std::ptrdiff_t>(std::min(queue.size(), max));
    std::vector<Request> out(std::make_move_iterator(queue.begin()),
                             std::make_move_iterator(queue.begin() + count));
    queue.erase(queue.begin(), queue.begin() + count);
    return out;
  }

  void run_writer() {
    for (;;) {
      std::vector<Request> batch = take(queue_, limits::kKeyStoreBatchMax, closing_writer_);
      if (batch.empty()) return;
      write(batch);
      std::vector<Request> answered;
      {
        const std::lock_guard lock(mutex_);
        for (Request& request : batch) {
          const bool rewrite = request.destroy && request.status.ok();
          if (rewrite) {
            rewrites_.push_back(std::move(request));
          } else {
            answered.push_back(std::move(request));
          }
        }
      }
      wake_.notify_all();
      answer(std::move(answered));
    }
  }

  void run_rewriter() {
    for (;;) {
      std::vector<Request> batch = take(rewrites_, limits::kKeyStoreQueueMax, closing_rewriter_);
      if (batch.empty()) return;
      const Status status = rewrite(batch);
      for (Request& request : batch) request.status = status;
      answer(std::move(batch));
    }
  }

  // One write for all; sets the status of each.
  void write(std::vector<Request>& batch) {
    const Status usable = check_usable();
    rocksdb::WriteBatch writes;
    // What the batch has changed so far: the value, or nullopt for a destroyed key.
    std::map<DataKeyId, std::optional<Bytes>> changed;
    for (Request& request : batch) {
      request.status = usable.ok() ? prepare(request, writes, changed) : usable;
    }
    if (writes.Count() == 0) return;
    rocksdb::WriteOptions options;
    options.sync = true;
    const rocksdb::Status status = db_->Write(options, &writes);
    if (status.ok()) return;
    const Error error = stop_.note(rocks::error_of("cannot write data keys", status));
    for (Request& request : batch) {
      if (request.status.ok()) request.status = error;
    }
  }

  Status check_usable() const {
    ST_CHECK_OK(stop_.check());
    if (free_bytes_min_ == 0 || free_bytes(db_->GetName()) >= free_bytes_min_) return {};
    return Error{ErrorCode::disk_full, "the disk of " + db_->GetName() + " is nearly full",
                 "free some space; the key store goes on by itself"};
  }

  Status prepare(const Request& request, rocksdb::WriteBatch& writes,
                 std::map<DataKeyId, std::optional<Bytes>>& changed) {
    const DataKeyId& id = request.key.id;
    if (request.destroy) {
      changed[id] = std::nullopt;
      const auto added = writes.Delete(rocks::slice(id.view()));
      return added.ok() ? Status() : Status(rocks::error_of("cannot destroy", added));
    }
    const Bytes value = encode(request.key);
    std::optional<Bytes> existing;
    if (const auto found = changed.find(id); found != changed.end()) {
      existing = found->second;
    } else {
      Bytes stored;
      const auto status = db_->Get(rocksdb::ReadOptions(), rocks::slice(id.view()), &stored);
      if (status.ok()) existing = std::move(stored);
      if (!status.ok() && !status.IsNotFound()) return rocks::error_of("cannot read", status);
    }
    if (existing) {
      if (*existing == value) return {};
      return Error{ErrorCode::conflict, "another data key has this id", ""};
    }
    changed[id] = value;
    const auto added = writes.Put(rocks::slice(id.view()), rocks::slice(value));
    return added.ok() ? Status() : Status(rocks::error_of("cannot put", added));
  }

  // Ids sort by time and keys of one age are destroyed together, so the range between the first and
  // the last is mostly just them.
  Status rewrite(const std::vector<Request>& batch) {
    // By their bytes, as RocksDB orders keys; ids themselves compare as signed characters.
    const auto [first, last] = std::minmax_element(
        batch.begin(), batch.end(),
        [](const Request& a, const Request& b) { return a.key.id.view() < b.key.id.view(); });
    const rocksdb::Slice begin = rocks::slice(first->key.id.view());
    const rocksdb::Slice end = rocks::slice(last->key.id.view());
    return rocks::rewrite(*db_, &begin, &end);
  }

  Result<std::vector<WrappedKey>> read_chunk(BytesView from) const {
    std::vector<WrappedKey> out;
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions()));
    for (it->Seek(rocks::slice(from)); it->Valid() && out.size() < kListChunk; it->Next()) {
      ST_ASSIGN(WrappedKey key, decode(rocks::view(it->key()), rocks::view(it->value())));
      out.push_back(std::move(key));
    }
    if (!it->status().ok()) return rocks::error_of("cannot list data keys", it->status());
    return out;
  }

  const std::optional<rocks::Scratch> scratch_;  // outlives the database
  std::unique_ptr<rocksdb::DB> db_;
  const std::uint64_t free_bytes_min_;
  rocks::FailStop stop_;  // used by the writer only

  std::mutex mutex_;
  std::condition_variable wake_;  // both threads wait on it
  std::deque<Request> queue_;
  std::deque<Request> rewrites_;
  std::size_t unanswered_ = 0;
  bool closing_writer_ = false;
  bool closing_rewriter_ = false;

  std::thread writer_;  // last: they use everything above
  std::thread rewriter_;
};

Result<std::unique_ptr<KeyStore>> open_on(const std::string& path, const RocksDbKeyOptions& options,
                                          rocksdb::Env* env) {
  rocksdb::Options rocks_options = rocks::careful_options(options.memory, env);
  // Wrapped keys are random bytes.
  rocks_options.compression = rocksdb::kNoCompression;
  rocks_options.target_file_size_base = limits::kKeyStoreFileBytes;
  ST_ASSIGN(auto db, rocks::open_db(path, rocks_options, kCorruptHint));
  return std::unique_ptr<KeyStore>(
      std::make_unique<RocksDbKeyStore>(std::move(db), options.free_bytes_min));
}

}  // namespace

Result<std::unique_ptr<KeyStore>> open_rocksdb_key_store(const std::string& path,
                                                         const RocksDbKeyOptions& options) {
  return open_on(path, options, nullptr);
}

Result<std::unique_ptr<KeyStore>> open_rocksdb_key_store_on_env(const std::string& path,
                                                                const RocksDbKeyOptions& options,
                                                                rocksdb::Env& env) {
  return open_on(path, options, &env);
}

Result<std::unique_ptr<KeyStore>> open_rocksdb_key_store_read_only(const std::string& path,
                                                                   const std::string& scratch) {
  ST_ASSIGN(rocks::Scratch files, rocks::Scratch::make(scratch));
  ST_ASSIGN(auto db, rocks::open_db_read_only(path, files, kCorruptHint));
  return std::unique_ptr<KeyStore>(
      std::make_unique<RocksDbKeyStore>(std::move(db), 0, std::move(files)));
}

}  // namespace sandtrail
