// SPDX-License-Identifier: Apache-2.0
#include "topics.h"

#include <mutex>

namespace sandtrail::embedded {

PartitionState* TopicTable::find(const TopicPartition& where) const {
  const std::shared_lock lock(mutex_);
  const auto topic = topics_.find(where.topic);
  if (topic == topics_.end() || where.partition < 0) return nullptr;
  const auto index = static_cast<std::size_t>(where.partition);
  return index < topic->second.size() ? topic->second[index].get() : nullptr;
}

std::int32_t TopicTable::partitions(const std::string& topic) const {
  const std::shared_lock lock(mutex_);
  const auto known = topics_.find(topic);
  return known == topics_.end() ? 0 : static_cast<std::int32_t>(known->second.size());
}

std::size_t TopicTable::topics() const {
  const std::shared_lock lock(mutex_);
  return topics_.size();
}

std::size_t TopicTable::all_partitions() const {
  const std::shared_lock lock(mutex_);
  std::size_t count = 0;
  for (const auto& [topic, partitions] : topics_) count += partitions.size();
  return count;
}

void TopicTable::add(const std::string& topic, Partitions partitions) {
  const std::unique_lock lock(mutex_);
  topics_.emplace(topic, std::move(partitions));
}

void TopicTable::for_each(const std::function<void(PartitionState&)>& visit) const {
  const std::shared_lock lock(mutex_);
  for (const auto& [topic, partitions] : topics_) {
    for (const auto& partition : partitions) visit(*partition);
  }
}

TopicTable::Partitions empty_partitions(const std::string& topic, std::int32_t count,
                                        rocksdb::ColumnFamilyHandle* family) {
  TopicTable::Partitions partitions;
  for (std::int32_t i = 0; i < count; ++i) {
    auto partition = std::make_unique<PartitionState>();
    partition->where = {topic, i};
    partition->family = family;
    partitions.push_back(std::move(partition));
  }
  return partitions;
}

}  // namespace sandtrail::embedded
