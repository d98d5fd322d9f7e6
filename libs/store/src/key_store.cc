// SPDX-License-Identifier: Apache-2.0
#include "store/key_store.h"

#include "base/limits.h"

namespace sandtrail {

Status check_wrapped_key(const WrappedKey& key) {
  if (key.id.nil()) return Error{ErrorCode::invalid_argument, "a data key needs an id", ""};
  if (key.wrapped.empty() || key.wrapped.size() > limits::kWrappedKeyBytesMax) {
    return Error{ErrorCode::invalid_argument, "a wrapped data key has 1 to 4096 bytes", ""};
  }
  return {};
}

}  // namespace sandtrail
