// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <string>

#include "crypto/note.h"

using namespace sandtrail;

namespace {

const std::string kRoot = "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=";

Checkpoint example() {
  return {"log.example/audit", 8, *unbase64(kRoot), {}};
}

}  // namespace

TEST_CASE("checkpoints: body and signature as another implementation computes them") {
  const auto text = checkpoint_text(example());
  REQUIRE(text.ok());
  CHECK(*text == "log.example/audit\n8\n" + kRoot + "\n");

  Bytes seed;
  for (int i = 0; i < 32; ++i) seed += static_cast<char>(i);
  const auto signer = NoteSigner::create("log.example/audit", SecretBytes(seed));
  REQUIRE(signer.ok());
  CHECK(signer->verifier().text() ==
        "log.example/audit+86617d36+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4");
  CHECK(*sign_note(*text, {&*signer}) ==
        *text +
            "\n— log.example/audit hmF9NsCDwrR0WNwxTjYgbsmtlyh/gJLE7eiatD9xnstQfiURBq7zv4scFdL1QpaP"
            "o9bYdw1ir65+5eYP9zdhj1hvAgk=\n");
}

TEST_CASE("checkpoints: what is written is read back") {
  Checkpoint checkpoint = example();
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    checkpoint.size = size;
    CHECK(*parse_checkpoint(*checkpoint_text(checkpoint)) == checkpoint);
  }
  checkpoint.extensions = {"one", "two words"};
  CHECK(*parse_checkpoint(*checkpoint_text(checkpoint)) == checkpoint);
}

TEST_CASE("checkpoints: anything but the exact form is invalid") {
  const std::string rows[] = {
      "",
      "\n",
      "origin\n",
      "origin\n8\n",
      "origin\n8\n" + kRoot,   // no line end
      "\n8\n" + kRoot + "\n",  // no origin
      "origin\n\n" + kRoot + "\n",
      "origin\n08\n" + kRoot + "\n",
      "origin\n+8\n" + kRoot + "\n",
      "origin\n-8\n" + kRoot + "\n",
      "origin\n 8\n" + kRoot + "\n",
      "origin\n8 \n" + kRoot + "\n",
      "origin\n0x8\n" + kRoot + "\n",
      "origin\n18446744073709551616\n" + kRoot + "\n",
      "origin\n8\n\n",
      "origin\n8\nAAAA\n",  // three bytes
      "origin\n8\n" + kRoot.substr(0, 43) + "\n",
      "origin\n8\n" + kRoot + "\n\n",  // an empty extension line
      "origin\n8\n" + kRoot + "\next\n\n",
      "origin\n8\n" + kRoot + "\next",
      "ori\tgin\n8\n" + kRoot + "\n",
      "\xff\n8\n" + kRoot + "\n",
  };
  for (const std::string& row : rows) {
    CAPTURE(row);
    const auto parsed = parse_checkpoint(row);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().code == ErrorCode::invalid_argument);
  }
}

TEST_CASE("checkpoints: what a note could not hold is not built") {
  const auto refused = [](const Checkpoint& checkpoint) {
    const auto text = checkpoint_text(checkpoint);
    return !text.ok() && text.error().code == ErrorCode::invalid_argument;
  };
  Checkpoint bad = example();
  bad.origin = "";
  CHECK(refused(bad));
  bad.origin = "two\nlines";
  CHECK(refused(bad));
  bad = example();
  bad.root.pop_back();
  CHECK(refused(bad));
  bad = example();
  bad.extensions = {""};
  CHECK(refused(bad));
  bad.extensions = {"a\nb"};
  CHECK(refused(bad));
}
