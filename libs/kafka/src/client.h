// SPDX-License-Identifier: Apache-2.0
// One librdkafka instance and the one thread that serves its events.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "handles.h"
#include "settings.h"

namespace sandtrail::kafka {

// Thread-safe. `on_event` runs on the client's thread, once for each event of the main queue that
// was asked for; it must not throw. Whatever was made from raw() must be gone before the client.
class Client {
 public:
  using OnEvent = std::function<void(rd_kafka_t*, rd_kafka_event_t*)>;
  static Result<std::unique_ptr<Client>> start(rd_kafka_type_t type, Conf conf, int events,
                                               OnEvent on_event);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  rd_kafka_t* raw() const { return handle_; }

 private:
  Client(rd_kafka_t* handle, OnEvent on_event);
  void run();

  rd_kafka_t* const handle_;
  Queue events_;
  const OnEvent on_event_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace sandtrail::kafka
