// SPDX-License-Identifier: Apache-2.0
#include "domain/event.h"

namespace sandtrail {

std::string_view type_of(const EventBody& body) {
  return std::visit([](const auto& b) { return std::decay_t<decltype(b)>::kType; }, body);
}

}  // namespace sandtrail
