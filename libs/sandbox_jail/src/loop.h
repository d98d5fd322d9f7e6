// SPDX-License-Identifier: Apache-2.0
// The driver's thread: one epoll over the jailer, all agents and a mailbox.
#pragma once

#include <atomic>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <thread>
#include <variant>

#include "jailer_process.h"
#include "sandbox_jail/agent_session.h"

namespace sandtrail {

class JailDriver::Loop {
 public:
  Loop(JailOptions options, const Clock& clock, std::unique_ptr<JailerProcess> jailer);
  Status start();
  // Any thread. Ends all sandboxes and joins the thread. Idempotent.
  void shut_down();

  // A place among the sandboxes that may run at once; taken by a launch until its end.
  struct Place {
    std::uint32_t id = 0;
    std::uint32_t slot = 0;
  };
  struct Launch {
    Place place;
    SandboxSpec spec;
    SandboxEvents events;
    std::int64_t asked_us = 0;
  };
  struct Stop {
    std::uint32_t id = 0;
    KillReason reason = KillReason::none;
  };
  struct List {
    std::promise<std::vector<std::string>> answer;
  };
  struct Reap {
    std::string name;
    std::promise<Status> answer;
  };
  using Command = std::variant<Launch, Stop, List, Reap>;

  // Any thread. overloaded: all slots are taken.
  Result<Place> take_place();
  void leave(const Place& place);
  // Any thread. False: the loop has ended, and the command was not taken.
  bool post(Command command);

  const Clock& clock() const { return clock_; }
  const JailOptions& options() const { return options_; }
  const std::vector<std::string>& controls_missing() const { return controls_missing_; }
  int jailer_pid() const { return jailer_pid_.load(); }

 private:
  struct Sandbox {
    Launch launch;
    AgentSession session;
    std::string name;
    UniqueFd channel;
    Bytes orders;  // not yet sent
    bool kill_sent = false;
    bool lost = false;  // its jailer died; it waits for its remains to be removed
    AgentSession::HostFacts facts;
  };

  // epoll tags; sandboxes have ids from 1 up.
  static constexpr std::uint64_t kWakeTag = std::uint64_t{1} << 40;
  static constexpr std::uint64_t kJailerTag = kWakeTag + 1;

  void run();
  void turn();
  int timeout_ms() const;
  bool take_commands();  // false once shutting down
  void execute(Launch& launch);
  void execute(Stop& stop);
  void execute(List& list);
  void execute(Reap& reap);
  Status begin(Sandbox& sandbox);

  void on_channel(Sandbox& sandbox, std::uint32_t events);
  bool read_channel(Sandbox& sandbox);  // true: there may be more
  void write_channel(Sandbox& sandbox);
  void give_output(Sandbox& sandbox);

  void on_jailer();
  void on_jailer(const jail::JailEnded& ended);
  void on_jailer(const jail::JailReaped& reaped);
  void on_jailer(const jail::JailsListed& listed);
  void on_jailer_gone();
  Status restart_jailer();
  Status watch_jailer();

  bool alive(const std::string& name) const;
  void look_after();
  void finish(std::uint32_t id);
  void finish_launch(Launch& launch, SandboxExit exit);

  const JailOptions options_;
  const Clock& clock_;
  std::vector<std::string> controls_;
  std::vector<std::string> controls_missing_;
  std::atomic<int> jailer_pid_{0};

  std::mutex mutex_;  // guards the next four
  std::deque<Command> commands_;
  std::vector<bool> slot_taken_;
  std::uint32_t last_id_ = 0;
  bool stopping_ = false;

  // The rest belongs to the thread.
  std::unique_ptr<JailerProcess> jailer_;
  std::int64_t restart_due_us_ = 0;
  UniqueFd epoll_;
  UniqueFd wake_;
  std::map<std::uint32_t, Sandbox> sandboxes_;
  std::deque<List> lists_;
  std::deque<Reap> reaps_;
  std::thread thread_;
};

}  // namespace sandtrail
