// SPDX-License-Identifier: Apache-2.0
// Expected failures as values. GCC 12 has no std::expected in C++20 mode, hence this small one.
//
// A Result is either a value or an Error. Reading the wrong side is a broken invariant (aborts).
// Thread safety: like any value type.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/assert.h"

namespace sandtrail {

enum class ErrorCode : unsigned char {
  invalid_argument,  // the caller's input is wrong; repeating it cannot help
  not_found,
  conflict,     // the state does not allow it (taken, other version, other log)
  overloaded,   // a declared limit is reached; retry later, nothing was done
  unavailable,  // a peer or device is away; retry later, nothing was done
  timeout,
  denied,
  corrupt,  // stored bytes are not what was written
  disk_full,
  unknown_outcome,  // it may or may not have happened
  cancelled,
  internal,
};

// Stable lower-case name, for logs and JSON.
std::string_view name_of(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;  // what happened, without secrets or payloads
  std::string hint;     // what to do next, naming the setting; may be empty

  // True if the same call may succeed later and nothing was done.
  bool retryable() const {
    return code == ErrorCode::overloaded || code == ErrorCode::unavailable ||
           code == ErrorCode::timeout || code == ErrorCode::disk_full;
  }
  // "no such file (hint)", for people.
  std::string told() const;
  // "not_found: no such file (hint)".
  std::string text() const;
};

// An Error from errno, "message: strerror". ENOSPC and EDQUOT become disk_full, ENOENT not_found,
// EACCES and EPERM denied, anything else internal.
Error errno_error(std::string_view message, int error_number);

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return (ST_ASSERT(ok()), std::get<0>(state_)); }
  const T& value() const& { return (ST_ASSERT(ok()), std::get<0>(state_)); }
  T&& value() && { return (ST_ASSERT(ok()), std::get<0>(std::move(state_))); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const { return (ST_ASSERT(!ok()), std::get<1>(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  const Error& error() const { return (ST_ASSERT(!ok_), error_); }

 private:
  Error error_;
  bool ok_ = true;
};

using Status = Result<void>;

}  // namespace sandtrail

// Returns the Error of `expression` from the enclosing function, if it failed.
#define ST_CHECK_OK(expression)                             \
  do {                                                      \
    if (auto st_status_ = (expression); !st_status_.ok()) { \
      return st_status_.error();                            \
    }                                                       \
  } while (false)

#define ST_CONCAT_INNER(a, b) a##b
#define ST_CONCAT(a, b) ST_CONCAT_INNER(a, b)

// ST_ASSIGN(auto x, expression): declares x from the value, or returns the Error.
#define ST_ASSIGN(declaration, expression) \
  ST_ASSIGN_INNER(ST_CONCAT(st_result_, __LINE__), declaration, expression)
#define ST_ASSIGN_INNER(temporary, declaration, expression) \
  auto temporary = (expression);                            \
  if (!temporary.ok()) return temporary.error();            \
  declaration = std::move(temporary).value()
