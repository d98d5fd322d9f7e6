// SPDX-License-Identifier: Apache-2.0
// The service's end of sandtrail-jailer.
#pragma once

#include <sys/types.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "jail/jailer_protocol.h"
#include "sandbox_jail/jail_driver.h"

namespace sandtrail {

// Not thread-safe.
class JailerProcess {
 public:
  // Starts it and waits for its first packet.
  static Result<std::unique_ptr<JailerProcess>> start(const JailOptions& options);
  // Closes the socket, upon which the jailer ends all sandboxes and itself; waits for that.
  ~JailerProcess();
  JailerProcess(const JailerProcess&) = delete;
  JailerProcess& operator=(const JailerProcess&) = delete;

  int fd() const { return socket_.get(); }
  pid_t pid() const { return pid_; }
  const jail::JailerReady& ready() const { return ready_; }

  // Never waits: what the socket does not take is kept for flush(). A blocking send could meet the
  // jailer's blocking send head on, since such sockets hold only a handful of packets.
  void send(const jail::ToJailer& message, UniqueFd descriptor = UniqueFd());
  void flush();
  bool unsent() const { return !pending_.empty(); }

  // The next packet, if there is one. unavailable: the jailer is gone.
  Result<std::optional<jail::FromJailer>> receive();

 private:
  struct Packet {
    Bytes bytes;
    UniqueFd descriptor;
  };

  JailerProcess() = default;
  Status spawn(const JailOptions& options);
  Status shake_hands();

  UniqueFd socket_;
  pid_t pid_ = -1;
  jail::JailerReady ready_;
  std::deque<Packet> pending_;
};

}  // namespace sandtrail
