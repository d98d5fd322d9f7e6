// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <functional>

#include "base/limits.h"
#include "crypto/aead.h"
#include "domain/payloads.h"
#include "report_check.h"
#include "store/memory_key_store.h"
#include "store/memory_object_store.h"

using namespace sandtrail;

TEST_CASE("a result that cannot be one of its execution is told apart from one that can") {
  ManualClock clock;
  SeededRandom random(1);
  ExecutionRow row;
  row.key = DataKeyId::fresh(clock, random);
  const DataKeyId other = DataKeyId::fresh(clock, random);
  const auto result = [&] {
    ExecutionFinished out;
    out.verdict = Verdict::ok;
    out.usage = {1000, 900, 4096};
    out.evidence = {"exit_code=0"};
    out.controls = {"seccomp"};
    out.payload.emplace();
    out.payload->key = row.key;
    out.payload->bytes = 10;
    out.payload->sealed.bytes = Bytes(40, 's');
    return out;
  };
  using Change = std::function<void(ExecutionFinished&)>;
  struct Case {
    const char* what;
    Change change;
    bool fine;
  };
  const std::vector<Case> cases{
      {"as it should be", [](auto&) {}, true},
      {"without output", [](auto& r) { r.payload.reset(); }, true},
      {"as long as it may be",
       [](auto& r) { r.payload->sealed.bytes = Bytes(limits::kHostOutputBytesMax, 's'); }, true},
      {"under another key", [&](auto& r) { r.payload->key = other; }, false},
      {"an object", [](auto& r) { r.payload->object = "another's"; }, false},
      {"empty", [](auto& r) { r.payload->sealed.bytes.clear(); }, false},
      {"too long",
       [](auto& r) { r.payload->sealed.bytes = Bytes(limits::kHostOutputBytesMax + 1, 's'); },
       false},
      {"longer inside than outside", [](auto& r) { r.payload->bytes = 41; }, false},
      {"less than nothing", [](auto& r) { r.payload->bytes = -1; }, false},
      {"negative time", [](auto& r) { r.usage.wall_us = -1; }, false},
      {"negative output", [](auto& r) { r.err.total_bytes = -1; }, false},
      {"a long story",
       [](auto& r) { r.evidence = {std::string(limits::kHostFactsBytesMax + 1, 'x')}; }, false},
      {"many stories", [](auto& r) { r.controls.assign(limits::kHostFactsMax + 1, "x"); }, false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    ExecutionFinished made = result();
    c.change(made);
    const Status status = check_result(made, row);
    CHECK(status.ok() == c.fine);
  }
}

TEST_CASE("an output that nobody could open or that is over its limit is told apart") {
  ManualClock clock;
  SeededRandom random(2);
  MemoryKeyStore keys;
  MemoryObjectStore objects;
  Keyring keyring(SecretBytes(Bytes(kSealKeyBytes, 'r')), keys, clock, random);
  Payloads payloads(keyring, objects);
  DataKeyId key;
  keyring.create(OrgId::fresh(clock, random), {},
                 [&key](const Result<DataKeyId>& made) { key = made.ok() ? *made : DataKeyId(); });
  REQUIRE(!key.nil());
  const DataKeyId gone = DataKeyId::fresh(clock, random);
  const SecretBytes secret = keyring.get(key).value();
  const auto output = [](std::size_t out, std::size_t err) {
    return json::print(to_json(ExecutionOutput{{Bytes(out, 'o')}, {Bytes(err, 'e')}}));
  };
  constexpr std::size_t kMost = 100;
  struct Case {
    const char* what;
    Bytes plaintext;
    std::string name;  // of the purpose
    DataKeyId id;
    bool fine;
  };
  const std::vector<Case> cases{
      {"as it should be", output(3, 4), "7", key, true},
      {"as long as it may be", output(kMost, kMost), "7", key, true},
      {"of a key that is gone", output(3, 4), "7", gone, true},
      {"too long", output(kMost + 1, 0), "7", key, false},
      {"too many errors", output(0, kMost + 1), "7", key, false},
      {"sealed for another attempt", output(3, 4), "8", key, false},
      {"no JSON", "x", "7", key, false},
      {"another shape", R"({"stdout":5})", "7", key, false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    ExecutionFinished result;
    result.attempt = 7;
    result.payload = seal_inline(secret, c.id, {"output", c.name}, c.plaintext, random);
    CHECK(check_output(payloads, result, kMost).ok() == c.fine);
  }
  ExecutionFinished result;
  CHECK(check_output(payloads, result, kMost).ok());
  result.payload = SealedPayload{key, 10, {Bytes(40, 's')}, ""};
  CHECK(!check_output(payloads, result, kMost).ok());
}
