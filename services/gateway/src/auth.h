// SPDX-License-Identifier: Apache-2.0
// API keys: st_<26 of the organisation's id>_<26 of the key's id>_<32 of 20 random bytes>, all in
// Crockford base32. The text names the partition that knows it; only its SHA-256 is stored.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "call.h"

namespace sandtrail::gateway {

struct Credentials {
  OrgId org;
  KeyId key;
  Bytes sha256;  // of the whole text
};
std::optional<Credentials> parse_api_key(std::string_view text);

struct NewKey {
  KeyId id;
  std::string text;  // shown once
  ApiKeyCreated event;
};
NewKey make_api_key(Context& context, const OrgId& org, std::string name, KeyRole role,
                    std::optional<UnixMs> expires);

// Checks the call's key against the role of its route, sets its organisation and actor, and goes on
// at the partition of the organisation. Otherwise it answers 401 or 403 and counts the refusal.
void authenticate(Context& context, const CallPtr& call,
                  std::function<void(const PartitionView&)> then);

// For a call that has waited since: false, and it is refused, if its key no longer counts.
bool still_admitted(Context& context, const CallPtr& call, const PartitionView& view);

}  // namespace sandtrail::gateway
