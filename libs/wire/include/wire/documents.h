// SPDX-License-Identifier: Apache-2.0
// The documents in schemas/ that describe the log, made from the code that writes it. A test holds
// the files and this together.
#pragma once

#include <map>
#include <string>

#include "codec/json.h"

namespace sandtrail {

// JSON Schema (2020-12) of the data of each event type, by type.
std::map<std::string, json::object> event_schemas();

// AsyncAPI 3.0: topics as channels, events as messages.
json::object asyncapi_document();

}  // namespace sandtrail
