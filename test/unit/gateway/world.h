// SPDX-License-Identifier: Apache-2.0
// A gateway on the memory twins, and what the other roles would append.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "codec/json.h"
#include "domain/payloads.h"
#include "event_log/memory_log.h"
#include "gateway/gateway.h"
#include "gateway/read_model.h"
#include "runtime/runtime.h"
#include "scripted_output.h"
#include "sealing/payload.h"
#include "store/memory_key_store.h"
#include "store/memory_kv_store.h"
#include "store/memory_object_store.h"

namespace sandtrail {

// Generous: a test that needs it has failed.
inline constexpr Millis kTestDeadline = seconds(20);

// Of real time; starts when it is made.
class Deadline {
 public:
  bool over() const { return clock_.monotonic_us() - start_ > kTestDeadline.count * 1000; }

 private:
  SystemClock clock_;
  std::int64_t start_ = clock_.monotonic_us();
};

// One thread that runs tasks in order.
class Worker {
 public:
  Worker();
  ~Worker() { finish(); }
  void post(std::function<void()> task);
  // Runs what waits, and takes nothing more.
  void finish();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool stopped_ = false;
  std::thread thread_;
};

class FakeStream final : public http::Stream {
 public:
  bool write(Bytes chunk) override;
  void finish() override;
  void on_closed(std::function<void()> closed) override;

  void close();  // the peer goes away
  // Waits until the text holds `part`, or until finish().
  std::string text_with(const std::string& part);
  std::string text_when_finished();
  bool finished();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
  bool finished_ = false;
  bool closed_ = false;
  std::function<void()> on_closed_;
};

class FakeResponder final : public http::Responder {
 public:
  ~FakeResponder() override;
  void respond(http::Response response) override;
  std::shared_ptr<http::Stream> start_stream(http::Response head) override;
  void on_closed(std::function<void()> closed) override;

  struct Outcome;
  std::shared_ptr<Outcome> outcome;
};

struct FakeResponder::Outcome {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<http::Response> response;
  std::shared_ptr<FakeStream> stream;
  std::function<void()> closed;
  bool dropped = false;  // without an answer
};

struct Reply {
  int status = 0;
  http::Fields fields;
  Bytes body;
  std::shared_ptr<FakeStream> stream;

  json::value json() const;
  std::string text(std::string_view member) const;  // of the body; "" if absent
  std::string field(std::string_view name) const;   // "" if absent
  std::string code() const { return text("code"); }
  // "pointer" of each of a problem's errors.
  std::vector<std::string> pointers() const;
};

// A request that is not answered yet.
class Pending {
 public:
  explicit Pending(std::shared_ptr<FakeResponder::Outcome> outcome)
      : outcome_(std::move(outcome)) {}
  bool answered() const;
  Reply get() const;     // waits
  void go_away() const;  // the peer closes the connection

 private:
  std::shared_ptr<FakeResponder::Outcome> outcome_;
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct Tenant {
  OrgId org;
  std::string api_key;  // of an admin
  std::string callback_secret;
};

class World {
 public:
  explicit World(GatewayOptions options = {});
  ~World();

  // To the public server. JSON bodies get their Content-Type.
  Pending send(const std::string& method, const std::string& target, const std::string& key,
               const std::string& body = "", HeaderList headers = {});
  Reply call(const std::string& method, const std::string& target, const std::string& key,
             const std::string& body = "", HeaderList headers = {});
  Reply as_operator(const std::string& method, const std::string& target,
                    const std::string& body = "", HeaderList headers = {});
  Reply as_admin(const std::string& target);
  static Pending send_to(const http::Handler& handler, const std::string& method,
                         const std::string& target, const std::string& body, HeaderList headers);

  // An organisation with credits and an adopted rate card.
  Tenant tenant(const std::string& grant_credits = "100");
  std::string new_key(const Tenant& tenant, const std::string& role);

  // Appends as a role that owns the partition, or without a decision; returns once it is folded.
  void append(const OrgId& org, EventBody body, std::optional<DeciderRole> role = {},
              std::optional<TopicPartition> where = {});
  void adopt_card(const TopicPartition& where);
  // Steps of an execution, as launcher, host and billing append them.
  void assign(const Tenant& tenant, const ExecutionId& id, std::int64_t attempt = 1);
  void start(const Tenant& tenant, const ExecutionId& id, std::int64_t attempt = 1);
  void finish(const Tenant& tenant, const ExecutionId& id, const std::string& out = "hello\n",
              std::int64_t attempt = 1);
  void settle(const Tenant& tenant, const ExecutionId& id);
  void run_to_end(const Tenant& tenant, const ExecutionId& id, const std::string& out = "hello\n");

  // Requests that wait and streams that are open, until there are so many.
  void until_waiting(std::int64_t requests, std::int64_t streams);

  // What the core knows, read on the partition's thread.
  template <typename T>
  T look(const TopicPartition& where, std::function<T(const CoreState&)> read) {
    return look_at<T>(where, [&](const PartitionView& view) { return read(view.state()); });
  }
  template <typename T>
  T look_at(const TopicPartition& where, std::function<T(const PartitionView&)> read);
  // Waits until it holds.
  void until(const TopicPartition& where, std::function<bool(const CoreState&)> holds);
  // Bodies of type T in the log, in order, whatever became of them.
  template <typename T>
  std::vector<std::pair<Event, T>> logged(const TopicPartition& where);
  // Returns once the partition has folded what is in the log.
  void folded(const TopicPartition& where);

  ManualClock clock;
  SeededRandom random{7};
  MemoryLog log;
  MemoryKvStore kv;
  MemoryKeyStore key_store;
  MemoryObjectStore objects;
  Keyring keyring;
  Payloads payloads;
  Runtime runtime;
  Worker worker;
  ScriptedOutput live;
  Gateway gateway;

 private:
  http::Handler public_;
  http::Handler operator_;
  http::Handler admin_;
  std::map<std::pair<TopicPartition, DeciderRole>, std::int64_t> epochs_;
};

std::size_t keys_in(const World& world);
// Waits until there are so many.
void until_keys(const World& world, std::size_t count);

// Body of a request that runs Python.
std::string python(const std::string& more = "");
ExecutionId id_of(const Reply& reply);

std::vector<Event> events_in(EventLog& log, const TopicPartition& where);

template <typename T>
std::vector<std::pair<Event, T>> World::logged(const TopicPartition& where) {
  std::vector<std::pair<Event, T>> out;
  for (const Event& event : events_in(log, where)) {
    if (const T* body = std::get_if<T>(&event.body)) out.emplace_back(event, *body);
  }
  return out;
}

template <typename T>
T World::look_at(const TopicPartition& where, std::function<T(const PartitionView&)> read) {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<T> result;
  const bool posted = runtime.query(where, [&](const PartitionView& view) {
    const std::lock_guard lock(mutex);
    result = read(view);
    changed.notify_one();
  });
  ST_ASSERT(posted);
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return result.has_value(); });
  return std::move(*result);
}

}  // namespace sandtrail
