// SPDX-License-Identifier: Apache-2.0
// sandtrail-jailer: the small privileged helper that starts sandboxes. Started by the service with
// one end of a SOCK_SEQPACKET pair as descriptor 3; not meant to be run by hand.
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>

#include "base/limits.h"
#include "jailer.h"

namespace {

using sandtrail::jail::kJailerFd;

template <typename Number>
bool parse(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// sandtrail-jailer AGENT_PATH INSTANCE SLOTS UID_BASE
std::optional<sandtrail::jailer::Options> parse_arguments(int argc, char** argv) {
  sandtrail::jailer::Options options;
  if (argc != 5) return std::nullopt;
  options.agent_path = argv[1];
  options.instance = argv[2];
  const bool numbers = parse(argv[3], options.slots) && parse(argv[4], options.uid_base);
  // The instance becomes a directory name.
  const bool name = !options.instance.empty() && options.instance[0] != '.' &&
                    options.instance.find('/') == std::string::npos;
  const bool range = options.slots >= 1 && options.slots <= sandtrail::limits::kJailSlotsMax;
  return numbers && name && range ? std::optional(options) : std::nullopt;
}

void send(const sandtrail::jail::JailerReady& ready) {
  const auto packet = sandtrail::jail::encode(sandtrail::jail::FromJailer(ready));
  (void)!::send(kJailerFd, packet.data(), packet.size(), MSG_NOSIGNAL);
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse_arguments(argc, argv);
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
