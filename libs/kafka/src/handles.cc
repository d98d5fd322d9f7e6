// SPDX-License-Identifier: Apache-2.0
#include "handles.h"

#include <chrono>
#include <future>
#include <thread>

#include "base/limits.h"
#include "obs/log.h"

namespace sandtrail::kafka {

bool is_refusal(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

Error lacks(const std::string& what, const Right& right) {
  return {ErrorCode::denied,
          what + ": the user of this process lacks the right " + right.operation + " on " +
              right.resource + " " + right.name,
          "grant it (infra/kafka/acls prints what each role needs), or correct the user in "
          "log.kafka"};
}

Error error_of(rd_kafka_resp_err_t code, const std::string& what, const Right& right) {
  return is_refusal(code) ? lacks(what, right) : error_of(code, what);
}

Error error_of(rd_kafka_resp_err_t code, const std::string& what) {
  const std::string message = what + ": " + rd_kafka_err2str(code);
  switch (code) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return {ErrorCode::denied, message,
              "the user of this process lacks a right: infra/kafka/acls prints what each role "
              "needs"};
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return {ErrorCode::not_found, message, ""};
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return {ErrorCode::invalid_argument, message, ""};
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
      return {ErrorCode::unavailable, message, "is the broker reachable?"};
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
      return {ErrorCode::corrupt, message, ""};
    default:
      return {ErrorCode::unavailable, message, ""};
  }
}

void destroy_in_time(rd_kafka_t* handle, int flags) {
  std::promise<void> ended;
  auto in_time = ended.get_future();
  std::thread ending([handle, flags, promise = std::move(ended)]() mutable {
    rd_kafka_destroy_flags(handle, flags);
    promise.set_value();
  });
  const std::chrono::milliseconds patience(limits::kKafkaCallTimeout.count);
  if (in_time.wait_for(patience) == std::future_status::ready) return ending.join();
  log_warn("a Kafka client does not end, and is left behind");
  ending.detach();
}

}  // namespace sandtrail::kafka
