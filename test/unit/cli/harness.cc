// SPDX-License-Identifier: Apache-2.0
#include "harness.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"

namespace sandtrail::test {

Harness::Harness() {
  char name[] = "/tmp/sandtrail-cli-XXXXXX";
  REQUIRE(::mkdtemp(name) != nullptr);
  directory = name;
  environment["SANDTRAIL_DATA_DIR"] = directory;
}

Harness::~Harness() {
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
}

int Harness::run(const std::vector<std::string>& arguments, bool bare) {
  out.clear();
  err.clear();
  CliParts parts{client, clock, random, environment, {}, {}, false, false,
                 {},     {},    {},     {},          {}, {}, {}};
  parts.out = [this](BytesView bytes) {
    out += bytes;
    return static_cast<std::size_t>(std::count(out.begin(), out.end(), '\n')) < lines_max;
  };
  parts.err = [this](BytesView bytes) {
    err += bytes;
    return true;
  };
  parts.out_is_terminal = out_is_terminal;
  parts.err_is_terminal = err_is_terminal;
  parts.read_input = [this](std::size_t bytes_max) -> Result<Bytes> {
    if (input.size() > bytes_max) return Error{ErrorCode::overloaded, "too long", ""};
    return input;
  };
  parts.pause = [this](Millis span) {
    paused_ms += span.count;
    clock.advance(span);
  };
  parts.open_log = [this](const std::string& at,
                          const std::optional<Config>&) -> Result<std::unique_ptr<EventLog>> {
    CHECK(at == directory);
    return open_log();
  };
  parts.ask_launcher = [this](const Config&, const std::string& launcher) {
    return ask_launcher(launcher);
  };
  parts.projections = projections;
  parts.find_loss = [this](const std::string& at) -> Result<LogLoss> {
    CHECK(at == directory);
    return loss;
  };
  parts.accept_loss = [this](const std::string& at,
                             const std::string& reason) -> Result<LossAccepted> {
    CHECK(at == directory);
    accepted_reason = reason;
    return LossAccepted{"old", "new", at + "/store.before-new"};
  };
  parts.confirm = [this](std::string_view question) {
    asked = question;
    return confirms;
  };
  parts.other_verbs = {{"dev", "Start everything here"}};
  parts.version = "1.2.3";
  if (!bare) {
    parts.environment["SANDTRAIL_URL"] = "http://server:8080";
    parts.environment["SANDTRAIL_API_KEY"] = "st_secret";
  }
  return run_cli(arguments, std::move(parts));
}

void Harness::answer(int status, const std::string& body,
                     std::vector<std::pair<std::string, std::string>> fields) {
  http::ClientResponse response;
  response.status = status;
  response.body = body;
  for (auto& [name, value] : fields) response.fields.add(std::move(name), std::move(value));
  client.scripted.push({std::move(response), Millis{0}, {}});
}

void Harness::fail(ErrorCode code, const std::string& message) {
  client.scripted.push({Error{code, message, ""}, Millis{0}, {}});
}

void Harness::stream(std::vector<Bytes> pieces) {
  http::ClientResponse response;
  response.status = 200;
  client.scripted.push({std::move(response), Millis{0}, std::move(pieces)});
}

std::string Harness::file(const std::string& name, const Bytes& content) {
  const std::string path = directory + "/" + name;
  REQUIRE(write_file_durably(path, content, 0600).ok());
  return path;
}

}  // namespace sandtrail::test
