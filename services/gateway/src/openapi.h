// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "call.h"
#include "codec/json.h"

namespace sandtrail::gateway {

void get_openapi(Context& context, const CallPtr& call);

// Named schemas of requests and responses (src/openapi_schemas.cc). A media type other than JSON
// stands in "x-media-type" of its schema.
json::object component_schemas();

// Types of the messages that receivers of webhooks get.
std::span<const std::string_view> message_types();

}  // namespace sandtrail::gateway
