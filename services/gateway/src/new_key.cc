// SPDX-License-Identifier: Apache-2.0
#include "new_key.h"

#include <atomic>
#include <memory>

#include "log_away.h"
#include "submit.h"

namespace sandtrail::gateway {

void with_new_key(Context& context, const CallPtr& call, const DataKeyId& parent,
                  std::function<void(const DataKeyId&)> then) {
  // Whoever comes first, the store or the time, decides.
  const auto decided = std::make_shared<std::atomic<bool>>(false);
  // A key store of a cluster stands where the log does, and waits for its brokers much longer.
  const auto timer = context.timers.after(context.options.log_away, [call, decided] {
    if (decided->exchange(true)) return;
    respond(*call, refused({ErrorCode::unavailable, "the key store did not answer in time", ""}));
  });
  context.keyring().create(
      call->org, parent,
      [&context, call, decided, timer, then = std::move(then)](const Result<DataKeyId>& key) {
        context.timers.cancel(timer);
        const bool too_late = decided->exchange(true);
        if (!key.ok()) {
          if (!too_late) respond(*call, internal_problem(*call, key.error()));
          return;
        }
        context.executor([&context, too_late, then, id = *key] {
          if (!too_late) return then(id);
          context.keyring().destroy(id, [](const Status&) {});
        });
      });
}

}  // namespace sandtrail::gateway
