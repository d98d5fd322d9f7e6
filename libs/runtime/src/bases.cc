// SPDX-License-Identifier: Apache-2.0
#include "runtime/bases.h"

#include "base/limits.h"
#include "base_rows.h"
#include "codec/text.h"
#include "crypto/digest.h"
#include "fold_rows.h"

namespace sandtrail {
namespace {

std::string object_name(BytesView sha256) {
  return "base_" + hex(sha256);
}

Result<Bytes> read_object(const ObjectStore& objects, BytesView sha256) {
  ST_ASSIGN(Bytes content, objects.get(object_name(sha256)));
  if (sandtrail::sha256(content) == sha256) return content;
  return Error{ErrorCode::corrupt, "the object " + object_name(sha256) + " holds other bytes",
               "restore it from a backup, or use another base"};
}

// Cuts rows into parts.
class PartWriter {
 public:
  PartWriter(ObjectStore& objects, BaseManifest& manifest)
      : objects_(objects), manifest_(manifest) {}

  Status add(BytesView key, BytesView value) {
    if (!bytes_.empty() && bytes_.size() + key.size() + value.size() > limits::kBasePartBytesMax) {
      ST_CHECK_OK(finish());
    }
    put_be32(bytes_, static_cast<std::uint32_t>(key.size()));
    bytes_ += key;
    put_be32(bytes_, static_cast<std::uint32_t>(value.size()));
    bytes_ += value;
    ++rows_;
    return {};
  }
  Status finish() {
    if (bytes_.empty()) return {};
    const Bytes digest = sha256(bytes_);
    ST_CHECK_OK(objects_.put(object_name(digest), bytes_));
    manifest_.parts.push_back({{digest}, rows_, static_cast<std::int64_t>(bytes_.size())});
    bytes_.clear();
    rows_ = 0;
    return {};
  }

 private:
  ObjectStore& objects_;
  BaseManifest& manifest_;
  Bytes bytes_;
  std::int64_t rows_ = 0;
};

Status copy_meta(BytesView stored, const TopicPartition& where, BaseManifest& to) {
  ST_ASSIGN(FoldMeta meta, from_text<FoldMeta>(stored));
  to.log_identity = std::move(meta.log_identity);
  to.topic = where.topic;
  to.partition = where.partition;
  to.fold_version = meta.fold_version;
  to.projections = std::move(meta.projections);
  to.next = meta.next;
  to.digest = std::move(meta.digest);
  to.last = std::move(meta.last);
  to.void_records = meta.void_records;
  return {};
}

// The next length and the bytes that follow it; false where they do not fit.
bool take(BytesView& from, BytesView& out) {
  constexpr std::size_t kLength = 4;
  if (from.size() < kLength) return false;
  const std::size_t size = get_be32(from);
  if (from.size() - kLength < size) return false;
  out = from.substr(kLength, size);
  from.remove_prefix(kLength + size);
  return true;
}

}  // namespace

Result<TakenBase> take_base(const KvStore& store, const TopicPartition& where,
                            ObjectStore& objects) {
  TakenBase out;
  PartWriter writer(objects, out.manifest);
  const Bytes prefix = partition_prefix(where);
  const Bytes meta = meta_key(where);
  bool found = false;
  Status status;
  // One scan is one state: the meta row is that of the rows beside it.
  ST_CHECK_OK(store.scan(prefix, prefix_end(prefix), [&](BytesView key, BytesView value) {
    if (key == meta) {
      found = true;
      status = copy_meta(value, where, out.manifest);
    } else {
      status = writer.add(key.substr(prefix.size()), value);
    }
    return status.ok();
  }));
  ST_CHECK_OK(status);
  if (!found) return Error{ErrorCode::not_found, "nothing of " + where.text() + " was folded", ""};
  ST_CHECK_OK(writer.finish());
  const Bytes document = to_text(out.manifest);
  out.sha256 = sha256(document);
  ST_CHECK_OK(objects.put(object_name(out.sha256), document));
  return out;
}

Result<BaseManifest> read_base(const ObjectStore& objects, BytesView manifest_sha256) {
  ST_ASSIGN(const Bytes document, read_object(objects, manifest_sha256));
  return from_text<BaseManifest>(document);
}

Status for_each_row(const ObjectStore& objects, const BaseManifest& manifest, const OnRow& row) {
  for (const BasePart& part : manifest.parts) {
    ST_ASSIGN(const Bytes content, read_object(objects, part.sha256.bytes));
    BytesView rest = content;
    std::int64_t rows = 0;
    for (; !rest.empty(); ++rows) {
      BytesView key;
      BytesView value;
      if (!take(rest, key) || !take(rest, value)) {
        return Error{ErrorCode::corrupt, "a part of a base ends within a row", ""};
      }
      ST_CHECK_OK(row(key, value));
    }
    if (rows != part.rows) {
      return Error{ErrorCode::corrupt, "a part of a base has another number of rows", ""};
    }
  }
  return {};
}

Status check_base(const ObjectStore& objects, const BaseManifest& manifest) {
  return for_each_row(objects, manifest, [](BytesView, BytesView) { return Status(); });
}

}  // namespace sandtrail
