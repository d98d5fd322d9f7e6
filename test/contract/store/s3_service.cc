// SPDX-License-Identifier: Apache-2.0
#include "s3_service.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <stdexcept>

#include "base/fd.h"

namespace sandtrail::test {
namespace {

// The first run may have to install what it needs.
constexpr int kStartPatienceMs = 240'000;

// Serves as long as this object lives, or the process: it ends when its input does.
class Service {
 public:
  Service() {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) {
      throw std::runtime_error("pipe2 failed");
    }
    input_.reset(in[1]);
    const UniqueFd child_in(in[0]);
    const UniqueFd output(out[0]);
    {
      const UniqueFd child_out(out[1]);
      start(child_in.get(), child_out.get());
    }
    url_ = first_line(output.get());
    if (url_.starts_with("http://")) return;
    throw std::runtime_error(
        "no S3 service to test with: scripts/s3-server did not start (it installs "
        "test/contract/store/s3_requirements.txt from PyPI at first). See why by running it, or "
        "name one that runs: SANDTRAIL_TEST_S3=http://127.0.0.1:PORT");
  }
  ~Service() {
    input_.reset();
    ::waitpid(pid_, nullptr, 0);
  }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  const std::string& url() const { return url_; }

 private:
  void start(int in, int out) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    std::string script = S3_SERVER;
    std::array<char*, 2> argv{script.data(), nullptr};
    const int error = ::posix_spawn(&pid_, S3_SERVER, &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw std::runtime_error("cannot run " + script);
  }

  static std::string first_line(int fd) {
    std::string line;
    for (char c = 0;;) {
      pollfd wait{fd, POLLIN, 0};
      if (::poll(&wait, 1, kStartPatienceMs) != 1 || ::read(fd, &c, 1) != 1) return "";
      if (c == '\n') return line;
      line += c;
    }
  }

  UniqueFd input_;
  pid_t pid_ = -1;
  std::string url_;
};

}  // namespace

const std::string& s3_service_url() {
  static const std::string url = [] {
    if (const char* given = std::getenv("SANDTRAIL_TEST_S3")) return std::string(given);
    static const Service service;
    return service.url();
  }();
  return url;
}

S3ObjectStoreOptions s3_service_options(const std::string& bucket, const std::string& below) {
  static std::atomic<int> count{0};
  S3ObjectStoreOptions options;
  options.endpoint = s3_service_url();
  options.region = "eu-test-1";
  options.location = {bucket, "test-" + std::to_string(::getpid()) + "-" + std::to_string(++count)};
  if (!below.empty()) options.location.prefix += "/" + below;
  options.credentials = {kS3KeyId, SecretBytes(kS3Secret), SecretBytes()};
  return options;
}

std::unique_ptr<ObjectStore> open_s3(S3ObjectStoreOptions options, const Clock& clock,
                                     Random& random) {
  auto opened = open_s3_object_store(std::move(options), clock, random);
  REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? std::string() : opened.error().text()));
  return std::move(*opened);
}

}  // namespace sandtrail::test
