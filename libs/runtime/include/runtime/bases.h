// SPDX-License-Identifier: Apache-2.0
// Bases: the rows of one partition's fold at one position, kept in the object store, so that a fold
// can begin there when the records below are gone.
//
// A base is a manifest, a JSON document (BaseManifest), and parts. Both are objects named
// "base_" + SHA-256 of their bytes in hex, so a base is what `log.base_taken` says or nothing. A
// part holds rows in byte order, each as
//
//   key length (4 bytes, big endian) ‖ key ‖ value length (4 bytes, big endian) ‖ value
//
// A key is 'C' and the core's key, or 'P', a projection's name, NUL and its key. Rows hold what the
// log's records hold: payloads are in them as they were sealed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "codec/reflect.h"
#include "domain/common.h"
#include "event_log/event_log.h"
#include "store/kv_store.h"
#include "store/object_store.h"

namespace sandtrail {

struct BasePart {
  Blob sha256;
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("sha256", s.sha256);
    v("rows", s.rows);
    v("bytes", s.bytes);
  }
};

struct BaseManifest {
  std::int64_t format = 1;
  std::string log_identity;
  std::string topic;
  std::int64_t partition = 0;
  std::int64_t fold_version = 0;         // runtime.h
  std::vector<std::string> projections;  // whose rows are in it
  std::int64_t next = 0;                 // the first position that is not
  Blob digest;                           // running digest of (bytes, verdict) up to there
  Blob last;                             // SHA-256 of the record before `next`
  std::int64_t void_records = 0;         // of those below `next`
  std::vector<BasePart> parts;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("format", s.format);
    v("log_identity", s.log_identity);
    v("topic", s.topic);
    v("partition", s.partition);
    v("fold_version", s.fold_version);
    v("projections", s.projections);
    v("next", s.next);
    v("digest", s.digest);
    v("last", s.last);
    v("void_records", s.void_records);
    v("parts", s.parts);
  }
};

struct TakenBase {
  BaseManifest manifest;
  Bytes sha256;  // of the manifest
};

// Writes what `store` holds of the partition: one state of it, also while it is being folded.
// not_found: nothing of it was folded yet. Durable on return; nothing refers to it yet.
Result<TakenBase> take_base(const KvStore& store, const TopicPartition& where,
                            ObjectStore& objects);

// corrupt: it is not what its name says. not_found: it is not there.
Result<BaseManifest> read_base(const ObjectStore& objects, BytesView manifest_sha256);

// Reads every part and compares it with its name.
Status check_base(const ObjectStore& objects, const BaseManifest& manifest);

// Asked for once, when a partition was trimmed past what a store holds.
using OpenObjects = std::function<Result<std::unique_ptr<ObjectStore>>()>;

}  // namespace sandtrail
