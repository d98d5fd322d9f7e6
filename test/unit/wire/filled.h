// SPDX-License-Identifier: Apache-2.0
// Events in which every field says something, the same at every run.
#pragma once

#include <string>

#include "domain/event.h"

namespace sandtrail::test {

// Fills described structs (codec/reflect.h): each value differs from its default and, where its
// type has room for it, from every other one.
class Filler {
 public:
  template <typename T>
  void operator()(std::string_view name, T& member) {
    fill(std::string(name), member);
  }
  template <typename T>
  void with_default(std::string_view name, T& member) {
    fill(std::string(name), member);
  }

 private:
  template <typename T>
  void fill(const std::string& name, T& out) {
    if constexpr (reflect::is_optional<T>) {
      fill(name, out.emplace());
    } else if constexpr (reflect::is_vector<T>) {
      for (int i = 0; i < 2; ++i) fill(name, out.emplace_back());
    } else if constexpr (reflect::is_map<T>) {
      for (int i = 0; i < 2; ++i) fill(name, out[name + std::to_string(++next_)]);
    } else if constexpr (std::is_same_v<T, bool>) {
      out = !out;
    } else if constexpr (std::is_enum_v<T>) {
      out = EnumNames<T>::names.back().first;
    } else if constexpr (std::is_integral_v<T>) {
      out = static_cast<T>(++next_);
    } else if constexpr (std::is_same_v<T, std::string>) {
      out = name + " \"\xc3\xa9\xe2\x82\xac\n\" " + std::to_string(++next_);
    } else if constexpr (std::is_same_v<T, Blob>) {
      out.bytes = Bytes("\x00\xff\n", 3) + std::to_string(++next_);
    } else if constexpr (reflect::is_id<T>) {
      IdBytes bytes{};
      bytes[0] = 1;
      bytes[15] = static_cast<char>(++next_);
      out = T(bytes);
    } else if constexpr (std::is_same_v<T, UnixMs>) {
      out = {1'700'000'000'000 + ++next_};
    } else if constexpr (reflect::Counted<T>) {
      out.count = ++next_;
    } else {
      T::fields(out, *this);
    }
  }

  std::int64_t next_ = 0;
};

template <typename Body>
Event filled_event() {
  Filler filler;
  Event event;
  IdBytes bytes{};
  bytes[1] = 7;
  event.id = EventId(bytes);
  event.org = OrgId(bytes);
  event.time = {1'700'000'000'123};
  event.source = "/gateway";
  event.subject = "exe_00000000000000000000000000";
  event.correlation = "exe_00000000000000000000000001";
  event.causation = "evt_00000000000000000000000002";
  event.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  filler("actor", event.actor);
  filler("request_id", event.request_id);
  filler("decision", event.decision);
  filler("idempotency", event.idempotency);
  filler("expected_version", event.expected_version);
  Body body;
  Body::fields(body, filler);
  event.body = body;
  return event;
}

}  // namespace sandtrail::test
