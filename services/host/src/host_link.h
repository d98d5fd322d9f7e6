// SPDX-License-Identifier: Apache-2.0
// A host's connection to one launcher: joins, fetches orders, carries them out, reports, and says
// that it lives; again and again.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "host/host_engine.h"
#include "host_lease.h"
#include "hosting/protocol.h"
#include "http/client.h"

namespace sandtrail {

// What all links of a host share. Everything must outlive the client's last callback.
struct HostLinkParts {
  HostEngine& engine;
  http::Client& client;
  const Clock& clock;
  Random& random;
  HostLease& lease;
  std::string boot;
  std::atomic<HostEngine::Route>& routes;  // given out so far
};

// Thread-safe. Made by std::make_shared.
class HostLink final : public std::enable_shared_from_this<HostLink> {
 public:
  HostLink(HostLinkParts parts, http::Url launcher);

  // Sends what is due. `now_us` (of Clock::boot_us) was read before the lease was last found valid.
  void tick(std::int64_t now_us, bool may_join);
  // No order of the session is carried out any more, and nothing is reported in it.
  void abandon();
  // A word about an attempt whose owner's orders come by `route`.
  void report(HostEngine::Route route, const HostReport& report);
  // Tells the launcher at once, if what it knows of the host's room misleads it.
  void room_changed();
  void tell_load();  // with the next tick

  // Says good-bye if joined; joins no more.
  void leave();
  bool left() const;

  bool joined() const;
  std::string launcher() const { return url_.text(); }

 private:
  enum class Phase { idle, joining, joined, leaving, gone };
  struct Word {
    Bytes text;  // empty: of a result that the engine keeps
    ExecutionId execution;
    std::int64_t attempt = 0;
  };
  using Answer = Result<http::ClientResponse>;

  http::ClientRequest request_locked(std::string method, std::string_view target, Millis timeout);
  void send_locked(http::ClientRequest request,
                   std::function<void(HostLink&, const Answer&)> handle_locked);
  HostLoad load_locked() const;
  std::int64_t after_us(int failures) const;
  void abandon_locked(std::int64_t join_due_us, std::string_view why);
  bool over_locked(const Answer& answer);

  void join_locked(std::int64_t now_us);
  void on_joined_locked(const Answer& answer, std::int64_t sent_us);
  void begin_session_locked(const JoinAnswer& answer, std::int64_t sent_us);
  void fetch_locked();
  void on_orders(Answer& answer, std::uint64_t generation);
  bool carry_out(NumberedOrder& order, std::uint64_t generation);
  void obey(NumberedOrder& order, HostEngine::Route route);
  void check_room_locked();
  void beat_locked(std::int64_t now_us);
  void on_beat_locked(const Answer& answer, std::int64_t sent_us);
  void queue_locked(Word word);
  std::size_t next_words_locked(std::vector<Bytes>& texts) const;
  void send_words_locked();
  void on_words_locked(const Answer& answer, std::size_t count);
  void drop_words_locked(std::size_t count);

  const HostLinkParts parts_;
  const http::Url url_;
  // Held while an order is carried out, so that none of an abandoned session is once the next one
  // has begun.
  std::mutex obeying_;

  mutable std::mutex mutex_;
  Phase phase_ = Phase::idle;
  std::uint64_t generation_ = 0;  // one higher with each session and each end of one
  int failures_ = 0;              // since a launcher last answered a heartbeat
  std::int64_t join_due_us_ = 0;
  std::string session_;
  HostEngine::Route route_ = 0;
  Millis heartbeat_;
  Millis lease_;
  Millis wait_;
  std::int64_t renewed_us_ = 0;

  std::int64_t last_order_ = 0;  // carried out
  bool fetching_ = false;
  int fetch_failures_ = 0;
  std::int64_t fetch_due_us_ = 0;

  bool beating_ = false;
  std::int64_t beat_due_us_ = 0;
  HostLoad told_;

  std::deque<Word> words_;
  std::size_t words_bytes_ = 0;
  bool sending_ = false;
  int send_failures_ = 0;
  bool one_by_one_ = false;  // one of them was not taken: which?
  std::int64_t send_due_us_ = 0;
};

}  // namespace sandtrail
