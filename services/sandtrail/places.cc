// SPDX-License-Identifier: Apache-2.0
#include "places.h"

#include <utility>

#include "kafka/kafka_key_store.h"
#include "kafka/kafka_log.h"
#include "log_embedded/embedded_log.h"
#include "loss.h"
#include "obs/log.h"
#include "store_dir/object_store.h"
#include "store_rocksdb/key_store.h"
#include "store_s3/object_store.h"

namespace sandtrail {
namespace {

S3Addressing addressing_of(Config::Objects::Addressing addressing) {
  switch (addressing) {
    case Config::Objects::Addressing::automatic:
      return S3Addressing::automatic;
    case Config::Objects::Addressing::path:
      return S3Addressing::path;
    case Config::Objects::Addressing::virtual_host:
      return S3Addressing::virtual_host;
  }
  return S3Addressing::automatic;
}

}  // namespace

KafkaConnection kafka_connection(const Config::Log& log, std::string client) {
  KafkaConnection out;
  out.brokers = log.brokers();
  out.topic_prefix = log.topic_prefix;
  out.client_id = std::move(client);
  out.settings = log.kafka;
  out.replication = static_cast<std::int16_t>(log.replication);
  out.min_insync = static_cast<std::int16_t>(log.min_insync);
  return out;
}

Result<std::unique_ptr<EventLog>> open_log(const ProcessPlan& plan,
                                           std::function<void(std::size_t)> on_batch,
                                           const Clock& clock, Random& random) {
  const Config::Log& log = plan.config.log;
  if (log.embedded()) {
    EmbeddedLogOptions options;
    options.free_bytes_min = static_cast<std::uint64_t>(log.free_bytes_min);
    options.mark_every_commit = log.mark_every_commit;
    ST_CHECK_OK(check_no_loss_pending(plan.directory));
    options.on_batch = std::move(on_batch);
    return open_embedded_log(plan.directory + "/log", options, clock, random);
  }
  KafkaLogOptions options;
  options.connection = kafka_connection(plan.config.log, "sandtrail-" + plan.verb);
  options.session_timeout = log.session_timeout;
  options.on_batch = std::move(on_batch);
  return open_kafka_log(options, clock);
}

Result<std::unique_ptr<KeyStore>> open_key_store(const ProcessPlan& plan,
                                                 const std::shared_ptr<RocksDbMemory>& memory,
                                                 const Clock& clock) {
  if (plan.config.log.embedded()) {
    // A request's key comes before its record: neither is taken when the disk is nearly full.
    return open_rocksdb_key_store(
        plan.directory + "/keys",
        {memory, static_cast<std::uint64_t>(plan.config.log.free_bytes_min)});
  }
  KafkaKeyStoreOptions options;
  options.connection = kafka_connection(plan.config.log, "sandtrail-" + plan.verb);
  return open_kafka_key_store(options, clock);
}

Result<std::unique_ptr<ObjectStore>> open_objects(const ProcessPlan& plan, const Clock& clock,
                                                  Random& random) {
  const Config::Objects& objects = plan.config.objects;
  if (objects.url.empty()) {
    return open_directory_object_store(plan.config.data_dir + "/objects");
  }
  const Environment environment = process_environment();
  const auto region = environment.find("AWS_REGION");
  S3ObjectStoreOptions options;
  ST_ASSIGN(options.location, parse_s3_url(objects.url));
  options.endpoint = objects.endpoint;
  options.region = objects.region;
  if (options.region.empty() && region != environment.end()) options.region = region->second;
  ST_ASSIGN(options.credentials, objects.credentials_file.empty()
                                     ? s3_credentials_from(environment)
                                     : read_s3_credentials(objects.credentials_file));
  options.ca_file = objects.ca_file;
  options.addressing = addressing_of(objects.addressing);
  options.allow_http = objects.allow_http;
  options.on_notice = [](const std::string& notice) { log_warn("S3", {{"notice", notice}}); };
  return open_s3_object_store(std::move(options), clock, random);
}

}  // namespace sandtrail
