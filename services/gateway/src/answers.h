// SPDX-License-Identifier: Apache-2.0
// Answers that organisations and operators share.
#pragma once

#include "call.h"

namespace sandtrail::gateway {

// 201 with the key; `text` is empty in the answer to a repeat.
void respond_api_key(Context& context, const CallPtr& call, const KeyId& id,
                     const std::string& text);

// 204, and where the log says so.
void respond_deleted(const Call& call, const TopicPartition& where, Position position);

}  // namespace sandtrail::gateway
