// SPDX-License-Identifier: Apache-2.0
// Which bytes of a client reach OpenSSL before the handshake is encrypted.
#include "hello_guard.h"

#include <doctest/doctest.h>

#include <string>

#include "base/limits.h"
#include "base/random.h"

using namespace sandtrail;
using namespace sandtrail::http;

namespace {

std::string record(int type, const std::string& content, int major = 3) {
  std::string out;
  out += static_cast<char>(type);
  out += static_cast<char>(major);
  out += '\x01';
  put_be16(out, static_cast<std::uint16_t>(content.size()));
  return out + content;
}

// A handshake message that announces `announced` bytes and has `bytes` of them.
std::string message(int type, std::size_t announced, std::size_t bytes) {
  std::string out;
  out += static_cast<char>(type);
  out += static_cast<char>(announced >> 16);
  put_be16(out, static_cast<std::uint16_t>(announced & 0xffff));
  return out + std::string(bytes, 'h');
}
std::string message(int type, std::size_t bytes) {
  return message(type, bytes, bytes);
}

std::string hello(std::size_t bytes = 300) {
  return record(22, message(1, bytes));
}

std::string text_of(HelloGuard::State state) {
  constexpr const char* kNames[] = {"hello", "plain", "encrypted", "http", "failed"};
  return kNames[static_cast<int>(state)];
}

}  // namespace

TEST_CASE("a client's first bytes are let through or not") {
  constexpr std::size_t kMax = limits::kTlsHelloBytesMax;
  const std::string alert = record(21, "\x02\x28");
  const std::string change = record(20, "\x01");
  const std::string split = record(22, message(1, 300, 100)) + record(22, std::string(1, 'x')) +
                            record(22, std::string(199, 'y'));
  std::string crumbs;
  for (const char c : message(1, 8'000)) crumbs += record(22, std::string(1, c));
  struct Row {
    std::string what;
    std::string bytes;
    std::string state;
  };
  const Row rows[] = {
      {"nothing", "", "hello"},
      {"a byte", "\x16", "hello"},
      {"half a header", hello().substr(0, 3), "hello"},
      {"half a hello", hello().substr(0, 200), "hello"},
      {"a hello", hello(), "plain"},
      {"one in several records", split, "plain"},
      {"the longest", hello(kMax - 9), "plain"},
      {"a longer one", hello(kMax - 8), "failed"},
      {"one announced too long", record(22, message(1, kMax + 1, 0)), "failed"},
      {"one announced very long", record(22, message(1, 0xffffff, 0)), "failed"},
      {"one in crumbs, with their headers too long", crumbs, "failed"},
      {"an empty hello", record(22, message(1, 0)), "failed"},
      {"an empty record", record(22, ""), "failed"},
      {"a record too long", record(22, message(1, 300, 20'000)), "failed"},
      {"another message", record(22, message(2, 300)), "failed"},
      {"an alert first", alert, "failed"},
      {"data first", record(23, "x"), "failed"},
      {"another version", record(22, message(1, 300), 2), "failed"},
      {"SSL 2", std::string("\x80\x2e\x01\x00\x02"), "failed"},
      {"HTTP", "GET / HTTP/1.1\r\n", "http"},
      {"a capital letter", "Q", "http"},
      {"a small letter", "q", "failed"},
      {"a blank", " GET", "failed"},
      {"a second hello", hello() + change + hello(), "plain"},
      {"a second hello too long", hello() + record(22, message(1, 0xffff, 0)), "failed"},
      {"two long ones", hello(kMax - 9) + hello(kMax - 9), "plain"},
      {"another second message", hello() + record(22, message(11, 300)), "failed"},
      {"an alert", hello() + alert, "plain"},
      {"alerts without end", hello() + std::string(kMax, 'x').replace(0, 7, alert), "failed"},
      {"encryption", hello() + change + record(23, "secret"), "encrypted"},
      {"what follows it", hello() + record(23, "x") + record(22, message(1, 0xffff, 0)),
       "encrypted"},
      {"another record type", hello() + record(24, "x"), "failed"},
  };
  SeededRandom random(3);
  for (const Row& row : rows) {
    CAPTURE(row.what);
    HelloGuard whole;
    CHECK(text_of(whole.feed(row.bytes)) == row.state);
    // Cut anywhere, it is the same.
    for (int i = 0; i < 20; ++i) {
      HelloGuard cut;
      std::string_view left = row.bytes;
      while (!left.empty()) {
        const std::size_t count = 1 + random.below(i == 0 ? 1 : 700);
        cut.feed(left.substr(0, count));
        left.remove_prefix(std::min(count, left.size()));
      }
      CHECK(text_of(cut.state()) == row.state);
    }
  }
}

TEST_CASE("random bytes never pass more than a hello may have") {
  SeededRandom random(9);
  for (int i = 0; i < 2000; ++i) {
    HelloGuard guard;
    std::string bytes = hello(1 + random.below(600));
    for (std::uint64_t n = random.below(6); n > 0; --n) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    }
    std::size_t passed = 0;
    while (passed <= 2 * limits::kTlsHelloBytesMax) {
      const auto state = guard.feed(bytes);
      if (state != HelloGuard::State::hello) break;
      passed += bytes.size();
      bytes = random.bytes(1000);
    }
    CHECK(passed <= limits::kTlsHelloBytesMax);
  }
}
