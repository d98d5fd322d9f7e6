// SPDX-License-Identifier: Apache-2.0
#include "store/kv_store.h"

namespace sandtrail {

Bytes prefix_end(BytesView prefix) {
  Bytes end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

}  // namespace sandtrail
