// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/bytes.h"

namespace sandtrail::gateway {

// Well-formed UTF-8: each byte that is part of no character becomes U+FFFD.
std::string mend_utf8(BytesView bytes);

// How many of the bytes come before a character that began but may still go on: all of them, or up
// to three less.
std::size_t whole_characters(BytesView bytes);

}  // namespace sandtrail::gateway
