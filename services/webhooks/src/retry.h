// SPDX-License-Identifier: Apache-2.0
// What one attempt's answer means. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "http/client.h"

namespace sandtrail {

enum class AttemptResult { delivered, failed, gone };

// 2xx only; 410 says that the receiver is gone for good (Standard Webhooks, "responses").
AttemptResult result_of(const Result<http::ClientResponse>& answer);

// The stable word for an attempt without an answer.
std::string error_word(const Error& error);

// Retry-After of an answer (RFC 9110 section 10.2.3), either form, bounded to a day.
std::optional<Millis> retry_after_of(const http::ClientResponse& answer, UnixMs now);

// When the attempt after number `made` is due; nullopt if there is none. Up to a fifth more than
// the schedule says, so that what failed together does not return together.
std::optional<UnixMs> next_attempt(const std::vector<Millis>& schedule, std::int64_t made,
                                   std::optional<Millis> retry_after, UnixMs now, Random& random);

}  // namespace sandtrail
