// SPDX-License-Identifier: Apache-2.0
// What somebody may have meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sandtrail {

// The candidate with the fewest changed, added, removed or swapped characters, if they are few
// enough (at most a third of the word, at least one); else "". The first of equals.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace sandtrail
