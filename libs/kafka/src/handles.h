// SPDX-License-Identifier: Apache-2.0
// librdkafka's handles as owners. Everything made from an instance must be destroyed before it, or
// its own destruction waits for ever.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <type_traits>

#include "base/result.h"
#include "base/time.h"

namespace sandtrail::kafka {

template <auto Destroy>
struct Destroyer {
  template <typename T>
  void operator()(T* handle) const {
    Destroy(handle);
  }
};

using Conf = std::unique_ptr<rd_kafka_conf_t, Destroyer<rd_kafka_conf_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Destroyer<rd_kafka_queue_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Destroyer<rd_kafka_event_destroy>>;
using Message = std::unique_ptr<rd_kafka_message_t, Destroyer<rd_kafka_message_destroy>>;
using Topic = std::unique_ptr<rd_kafka_topic_t, Destroyer<rd_kafka_topic_destroy>>;
using HeaderList = std::unique_ptr<rd_kafka_headers_t, Destroyer<rd_kafka_headers_destroy>>;
using KafkaError = std::unique_ptr<rd_kafka_error_t, Destroyer<rd_kafka_error_destroy>>;
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                      Destroyer<rd_kafka_topic_partition_list_destroy>>;
using AdminOptions =
    std::unique_ptr<rd_kafka_AdminOptions_t, Destroyer<rd_kafka_AdminOptions_destroy>>;
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, Destroyer<rd_kafka_metadata_destroy>>;

inline int to_ms(Millis span) {
  return static_cast<int>(span.count);
}

// Ends a client. librdkafka 2.0.2 never ends a consumer of a topic that was deleted, since
// something still counts on its partitions; it is then left to the end of the process, which must
// come. Nothing of ours may be called from it any more.
void destroy_in_time(rd_kafka_t* handle, int flags);

// What went wrong, in our codes: `denied` where the broker refuses (authorization), `not_found` for
// a topic or partition that is not there, `unavailable` for everything that may pass.
Error error_of(rd_kafka_resp_err_t code, const std::string& what);
inline Error error_of(const KafkaError& error, const std::string& what) {
  return error_of(rd_kafka_error_code(error.get()), what);
}

// What the brokers let a user do, in the words of kafka-acls.sh.
struct Right {
  const char* operation;  // "Write"
  const char* resource;   // "topic", "group"
  std::string name;       // with its prefix
};

// The same; where the broker refuses, names the right that is missing.
Error error_of(rd_kafka_resp_err_t code, const std::string& what, const Right& right);
Error lacks(const std::string& what, const Right& right);
// Whether the broker refused it for want of a right.
bool is_refusal(rd_kafka_resp_err_t code);

}  // namespace sandtrail::kafka
