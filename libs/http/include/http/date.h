// SPDX-License-Identifier: Apache-2.0
// The date of HTTP fields (Date, Retry-After, Last-Modified): IMF-fixdate, RFC 9110 section 5.6.7.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace sandtrail::http {

// "Sun, 06 Nov 1994 08:49:37 GMT"; milliseconds are cut. Years 1970 to 9999, others are clamped.
std::string http_date(UnixMs time);

// The inverse. The two obsolete forms (RFC 850, asctime) are not read: nullopt. The day's name is
// checked for form only, as RFC 9110 lets a recipient do.
std::optional<UnixMs> parse_http_date(std::string_view text);

}  // namespace sandtrail::http
