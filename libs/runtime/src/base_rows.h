// SPDX-License-Identifier: Apache-2.0
// Beginning a fold from a base.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "runtime/bases.h"
#include "wire/schema_versions.h"

namespace sandtrail {

// Every row of the base in its order, each part compared with its name first.
using OnRow = std::function<Status(BytesView key, BytesView value)>;
Status for_each_row(const ObjectStore& objects, const BaseManifest& manifest, const OnRow& row);

// The bases that `platform` tells of. Thread-safe.
class BaseFinder {
 public:
  BaseFinder(EventLog& log, const OpenObjects& open, const SchemaVersions& versions)
      : log_(log), open_(open), versions_(versions) {}

  // The newest one of `where` that ends at `low` or above, was folded as this version folds, and
  // holds the rows of `projections`. not_found: there is none, and why.
  Result<BaseManifest> find(const TopicPartition& where, Position low,
                            const std::vector<std::string>& projections);
  // After find().
  const ObjectStore& objects() const { return *objects_; }

 private:
  struct Told {
    TopicPartition where;
    Position next;
    Bytes manifest;
  };
  Status load();
  Status read_platform(std::vector<Told>& into);
  Status read_platform_base(std::vector<Told>& into);

  EventLog& log_;
  const OpenObjects& open_;
  const SchemaVersions& versions_;
  std::mutex mutex_;
  std::unique_ptr<ObjectStore> objects_;
  std::optional<std::vector<Told>> told_;  // in the log's order
};

// Puts the core's rows and those of `projections` in place of what `store` holds of the partition.
// Whatever ends it early leaves nothing that would be taken for a fold.
Status load_base(const ObjectStore& objects, const BaseManifest& manifest,
                 const std::vector<std::string>& projections, KvStore& store);

}  // namespace sandtrail
