// SPDX-License-Identifier: Apache-2.0
// The webhooks role: tells receivers of the end of executions. Standard Webhooks 1.0.0: signed
// `v1`, one stable id for all attempts of a delivery, 2xx only, no redirects, 410 disables the
// endpoint.
//
// Every attempt is an event, the next one's time stands in the log, so retries survive any death.
// A crash between an attempt and its event repeats the attempt under the same webhook-id.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/worker_pool.h"
#include "http/client.h"
#include "runtime/role.h"
#include "sealing/payload.h"

namespace sandtrail {

struct WebhookOptions {
  std::vector<Millis> retry_after{seconds(5), minutes(5), minutes(30), hours(2), hours(5),
                                  hours(10),  hours(14),  hours(20),   hours(24)};
  std::string public_url;  // of the API, for links in messages; may be empty
};

inline constexpr std::string_view kWebhooksProjection = "webhooks";

// Rows "execution id -> what a message says" until its last delivery is closed.
std::unique_ptr<Projection> make_webhooks_projection();

// Everything given must outlive the role. The client must enforce the address policy.
std::unique_ptr<Role> make_webhooks_role(http::Client& client, Payloads& payloads,
                                         Executor executor, Random& random, WebhookOptions options);

}  // namespace sandtrail
