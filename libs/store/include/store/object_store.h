// SPDX-License-Identifier: Apache-2.0
// The ObjectStore port: large sealed payloads, named by the event that refers to them.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace sandtrail {

// Names match [a-z0-9_]{1,128}. Contents are at most limits::kObjectBytesMax. Thread-safe; calls
// block for the time of one disk or network round trip.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  // Durable on return. Writing a name again with the same bytes is fine, with others a conflict.
  virtual Status put(const std::string& name, BytesView content) = 0;
  virtual Result<Bytes> get(const std::string& name) const = 0;
  // Durable on return; removing what is not there succeeds.
  virtual Status remove(const std::string& name) = 0;
};

// What every adapter checks first; invalid_argument if it does not hold. The pattern has no dot and
// no slash, so no name leads out of a directory.
Status check_object_name(std::string_view name);
Status check_object_content(BytesView content);

}  // namespace sandtrail
