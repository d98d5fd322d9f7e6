// SPDX-License-Identifier: Apache-2.0
// One session of a host on another machine (hosting/protocol.h).
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "base/clock.h"
#include "hosting/protocol.h"
#include "http/server.h"

namespace sandtrail {

// Thread-safe. Made by std::make_shared.
class RemoteHost final : public Host, public std::enable_shared_from_this<RemoteHost> {
 public:
  // `name`: that of its certificate; empty on a plain connection.
  RemoteHost(HostInfo info, std::string session, std::string name, const Clock& clock);
  ~RemoteHost() override;

  HostInfo info() const override { return info_; }
  int room() const override;
  void attach(HostEvents& events) override;
  void launch(LaunchOrder order) override;
  void cancel(const OrderAuthority& by, const ExecutionId& execution,
              std::int64_t attempt) override;
  void acknowledge(const OrderAuthority& by, const ExecutionId& execution,
                   std::int64_t attempt) override;
  void take_over(const OrderAuthority& by) override;
  Holding holding(std::int32_t partition, const ExecutionId& execution,
                  std::int64_t attempt) const override;

  // --- what the host asks and says ---
  const std::string& session() const { return session_; }
  const std::string& name() const { return name_; }
  // Orders numbered above `after`, as soon as there are some.
  void fetch(std::int64_t after, std::shared_ptr<http::Responder> responder);
  void heard(const HostLoad& load);
  // The host's words, of a body of that size. overloaded: too much of what it said is still in
  // memory, and nothing of this was taken. invalid_argument: no host says this.
  Status hear(HostWords words, std::size_t body_bytes);

  // Ends long waits; withdraws launches that a silent host has not fetched.
  void tick();
  // Nothing was heard of it for so long, or it let too many orders pile up.
  bool lapsed(Millis lease) const;
  // No order leaves any more. Whoever waits for one is told so.
  void close(const http::Response& farewell);

 private:
  struct Order {
    std::int64_t number = 0;
    Bytes text;  // of a launch: with its key
    std::int32_t partition = 0;
    std::optional<std::pair<ExecutionId, std::int64_t>> launch;
    bool sent = false;  // it stood in an answer: whether that arrived is not known
  };
  // An attempt that the host is believed to hold.
  struct Tracked {
    std::int32_t partition = 0;
    std::int64_t number = 0;  // of the order to launch it in this session; 0: the host named it
  };
  using AttemptKey = std::pair<ExecutionId, std::int64_t>;
  using Actions = std::vector<std::function<void()>>;

  bool silent_locked() const;
  bool add_locked(const HostOrder& order, std::int32_t partition, std::optional<AttemptKey> launch);
  void answer_locked(Actions& actions);
  void withdraw_unsent_locked(Actions& actions);
  void never_sent_locked(std::int32_t partition, const AttemptKey& key, Actions& actions);
  bool reconcile_locked(const TakenOver& taken, Actions& actions);
  void forget_waiting(const http::Responder* responder);

  const HostInfo info_;
  const std::string session_;
  const std::string name_;
  const Clock& clock_;
  HostEvents* events_ = nullptr;  // before the first order

  mutable std::mutex mutex_;
  std::deque<Order> orders_;  // not known to have arrived
  std::int64_t last_number_ = 0;
  std::shared_ptr<http::Responder> waiting_;
  std::int64_t waiting_since_us_ = 0;
  std::int64_t fetched_us_;  // when the host last asked for orders, or stopped waiting
  std::int64_t heard_us_;
  HostLoad load_;
  std::map<AttemptKey, Tracked> tracked_;
  std::map<std::int32_t, std::int64_t> taking_over_;  // number of the order that asks, by partition
  std::set<std::int32_t> answered_;                   // partitions whose question is answered
  bool overrun_ = false;
  bool closed_ = false;
  // Bytes of reports that are still in this process's memory.
  std::shared_ptr<std::atomic<std::size_t>> unapplied_;
};

// {"code", "detail"} with that status.
http::Response protocol_error(int status, std::string code, std::string detail);

}  // namespace sandtrail
