// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "domain/common.h"

namespace sandtrail {

// What a launch needs and the core does not keep.
struct LaunchRow {
  std::string language;
  SealedPayload input;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v.with_default("language", s.language);
    v("input", s.input);
  }
};

}  // namespace sandtrail
