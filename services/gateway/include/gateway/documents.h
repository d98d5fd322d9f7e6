// SPDX-License-Identifier: Apache-2.0
// What describes the API, made from the table that routes it. A test holds schemas/ and this
// together.
#pragma once

#include <string_view>
#include <vector>

#include "codec/json.h"

namespace sandtrail {

// OpenAPI 3.1 of the public server, with webhooks and callbacks.
json::object openapi_document();

// Every code a problem document may carry; schemas/problems has one page for each.
std::vector<std::string_view> problem_codes();

}  // namespace sandtrail
