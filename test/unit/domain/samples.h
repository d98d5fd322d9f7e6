// SPDX-License-Identifier: Apache-2.0
// A described struct with every member filled, so that nothing is left out when it is written.
#pragma once

#include "codec/reflect.h"

namespace sandtrail::test {

template <typename T>
void fill(T& out);

struct Filler {
  template <typename T>
  void operator()(std::string_view, T& member) {
    fill(member);
  }
  template <typename T>
  void with_default(std::string_view, T& member) {
    fill(member);
  }
};

template <typename T>
void fill(T& out) {
  if constexpr (reflect::is_optional<T>) {
    fill(out.emplace());
  } else if constexpr (std::is_same_v<T, bool>) {
    out = !out;
  } else if constexpr (std::is_enum_v<T>) {
    out = EnumNames<T>::names.back().first;
  } else if constexpr (std::is_integral_v<T>) {
    out = 41;
  } else if constexpr (std::is_same_v<T, std::string>) {
    out = "text \"\u00e9\\\n";
  } else if constexpr (std::is_same_v<T, Blob>) {
    out.bytes = std::string("\0\xfe\xff", 3);
  } else if constexpr (reflect::is_id<T>) {
    out = T::derived("abcdefghijklmnop");
  } else if constexpr (std::is_same_v<T, UnixMs>) {
    out.count = 1'700'000'000'001;
  } else if constexpr (reflect::Counted<T>) {
    out.count = -42;
  } else if constexpr (reflect::is_vector<T>) {
    fill(out.emplace_back());
    fill(out.emplace_back());
  } else if constexpr (reflect::is_map<T>) {
    fill(out["k/~"]);
  } else {
    Filler filler;
    T::fields(out, filler);
  }
}

template <typename T>
T filled() {
  T out;
  fill(out);
  return out;
}

}  // namespace sandtrail::test
