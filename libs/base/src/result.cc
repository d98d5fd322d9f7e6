// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <cerrno>
#include <system_error>

namespace sandtrail {

std::string_view name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return "invalid_argument";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::overloaded:
      return "overloaded";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::timeout:
      return "timeout";
    case ErrorCode::denied:
      return "denied";
    case ErrorCode::corrupt:
      return "corrupt";
    case ErrorCode::disk_full:
      return "disk_full";
    case ErrorCode::unknown_outcome:
      return "unknown_outcome";
    case ErrorCode::cancelled:
      return "cancelled";
    case ErrorCode::internal:
      return "internal";
  }
  return "internal";
}

std::string Error::told() const {
  return hint.empty() ? message : message + " (" + hint + ")";
}

std::string Error::text() const {
  return std::string(name_of(code)) + ": " + told();
}

Error errno_error(std::string_view message, int error_number) {
  Error error;
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      error.code = ErrorCode::disk_full;
      break;
    case ENOENT:
      error.code = ErrorCode::not_found;
      break;
    case EACCES:
    case EPERM:
      error.code = ErrorCode::denied;
      break;
    default:
      error.code = ErrorCode::internal;
      break;
  }
  error.message = std::string(message) + ": " + std::generic_category().message(error_number);
  return error;
}

}  // namespace sandtrail
