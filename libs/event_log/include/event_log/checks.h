// SPDX-License-Identifier: Apache-2.0
// What every adapter checks alike before it touches its log.
#pragma once

#include <string_view>

#include "base/result.h"
#include "event_log/event_log.h"

namespace sandtrail {

// Topic names match [a-z0-9._-]{1,kTopicNameBytesMax} and start with a letter; partitions are from
// 1 to kPartitionsMax. invalid_argument otherwise.
Status check_topic(const TopicSpec& spec);

// conflict if a topic that exists has another partition count.
Status check_same_partitions(const TopicSpec& spec, std::int32_t existing);

// Group names: as topic names, up to kGroupNameBytesMax.
Status check_group(std::string_view group);

// The errors that every adapter words alike.
Error no_such_partition(const TopicPartition& where);
Error trimmed_error(const TopicPartition& where, Position wanted, Position low);
Error beyond_tail_error(const TopicPartition& where, Position wanted, Position high);
Error closed_error();

}  // namespace sandtrail
