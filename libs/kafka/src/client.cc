// SPDX-License-Identifier: Apache-2.0
#include "client.h"

#include <array>

namespace sandtrail::kafka {
namespace {

constexpr int kPollMs = 1000;

}  // namespace

Result<std::unique_ptr<Client>> Client::start(rd_kafka_type_t type, Conf conf, int events,
                                              OnEvent on_event) {
  rd_kafka_conf_set_events(conf.get(), events);
  std::array<char, 512> why{};
  rd_kafka_t* handle = rd_kafka_new(type, conf.get(), why.data(), why.size());
  if (handle == nullptr) {
    return Error{ErrorCode::invalid_argument, std::string("no Kafka client: ") + why.data(),
                 "see the settings log.url and [log.kafka]"};
  }
  conf.release();  // rd_kafka_new() keeps it, but only if it succeeds
  return std::unique_ptr<Client>(new Client(handle, std::move(on_event)));
}

Client::Client(rd_kafka_t* handle, OnEvent on_event)
    : handle_(handle),
      events_(rd_kafka_queue_get_main(handle)),
      on_event_(std::move(on_event)),
      thread_([this] { run(); }) {}

Client::~Client() {
  ended_ = true;
  rd_kafka_queue_yield(events_.get());
  thread_.join();
  events_.reset();
  // There is nothing to leave: members of groups do so themselves.
  destroy_in_time(handle_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void Client::run() {
  while (!ended_) {
    const Event event(rd_kafka_queue_poll(events_.get(), kPollMs));
    if (event) on_event_(handle_, event.get());
  }
  // What came since the last look.
  while (const Event event{rd_kafka_queue_poll(events_.get(), 0)}) on_event_(handle_, event.get());
}

}  // namespace sandtrail::kafka
