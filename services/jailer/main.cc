// SPDX-License-Identifier: Apache-2.0
// sandtrail-jailer: the small privileged helper that starts sandboxes. Started by the service with
// one end of a SOCK_SEQPACKET pair as descriptor 3; not meant to be run by hand.
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

#include "jailer.h"
#include "options.h"

namespace {

using sandtrail::jail::kJailerFd;

void send(const sandtrail::jail::JailerReady& ready) {
  const auto packet = sandtrail::jail::encode(sandtrail::jail::FromJailer(ready));
  (void)!::send(kJailerFd, packet.data(), packet.size(), MSG_NOSIGNAL);
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = sandtrail::jailer::parse_options(argc, argv);
  if (!options) {
    std::fprintf(stderr, "sandtrail-jailer is started by the sandtrail service\n");
    return 2;
  }
  // The service's other descriptors, should any lack close-on-exec.
  ::syscall(SYS_close_range, kJailerFd + 1, ~0U, 0);
  // Ctrl-C at a terminal goes to the whole group; the service decides when the jailer ends.
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  ::setsid();
  const sandtrail::SystemClock clock;
  const auto jailer = sandtrail::jailer::Jailer::prepare(*options, clock);
  if (!jailer.ok()) {
    sandtrail::jail::JailerReady ready;
    ready.error = jailer.error();
    send(ready);
    return 1;
  }
  send(jailer.value()->ready());
  jailer.value()->serve(kJailerFd);
  return 0;
}
