// SPDX-License-Identifier: Apache-2.0
// The store over S3 through TLS, against the openssl command line, with certificates that it makes.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/fd.h"
#include "disk.h"
#include "s3_peer.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

void shell(const std::string& command) {
  if (std::system(("(" + command + ") >/dev/null 2>&1").c_str()) != 0) {
    throw std::runtime_error("failed: " + command);
  }
}

// <name>.pem and <name>.key: its own authority, for `names` ("DNS:localhost,IP:127.0.0.1").
void make_certificate(const std::string& directory, const std::string& name,
                      const std::string& names) {
  shell("cd " + directory +
        " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        "-subj /CN=x -addext subjectAltName=" +
        names + " -keyout " + name + ".key -out " + name + ".pem");
}

// openssl s_server on a free port, which answers a GET with the file of that path as it is.
class TlsServer {
 public:
  TlsServer(const std::string& directory, const std::string& name,
            const std::vector<std::string>& more = {}) {
    std::array<int, 2> out{};
    if (::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
    output_.reset(out[0]);
    const UniqueFd child_out(out[1]);
    std::vector<std::string> words{"env",      "-C",          directory,     "openssl",
                                   "s_server", "-accept",     "127.0.0.1:0", "-HTTP",
                                   "-key",     name + ".key", "-cert",       name + ".pem"};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, child_out.get(), STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    const int error = ::posix_spawnp(&pid_, "env", &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw std::runtime_error("cannot run openssl");
  }
  ~TlsServer() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  // It says "ACCEPT 127.0.0.1:12345" once it listens.
  std::string port() {
    std::string text;
    for (char c = 0; ::read(output_.get(), &c, 1) == 1;) {
      if (c == '\n' && text.starts_with("ACCEPT")) return text.substr(text.rfind(':') + 1);
      text = c == '\n' ? "" : text + c;
    }
    throw std::runtime_error("openssl s_server did not start");
  }

 private:
  pid_t pid_ = -1;
  UniqueFd output_;
};

}  // namespace

TEST_CASE("only a service with a trusted certificate of its name is asked") {
  const TemporaryDirectory directory;
  make_certificate(directory.path, "good", "DNS:localhost,IP:127.0.0.1");
  make_certificate(directory.path, "other", "DNS:localhost,IP:127.0.0.1");
  make_certificate(directory.path, "elsewhere", "DNS:elsewhere.test");
  std::filesystem::create_directories(directory.path + "/bucket/p");
  overwrite(directory.path + "/bucket/p/a", s3_response("200 OK", "abc"));
  struct Row {
    std::string certificate;
    std::string trusted;  // "": what the system trusts
    std::string host;
    std::string code;
  };
  const Row rows[] = {
      {"good", "good", "localhost", "ok"},
      {"good", "good", "127.0.0.1", "ok"},
      {"good", "other", "localhost", "denied"},
      {"good", "", "localhost", "denied"},
      {"elsewhere", "elsewhere", "localhost", "denied"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.certificate);
    CAPTURE(row.trusted);
    CAPTURE(row.host);
    TlsServer server(directory.path, row.certificate);
    PeerStore peer("https://" + row.host + ":" + server.port(), [&](S3ObjectStoreOptions& options) {
      if (!row.trusted.empty()) options.ca_file = directory.path + "/" + row.trusted + ".pem";
    });
    const auto result = peer.store->get("a");
    CHECK(outcome(result) == row.code);
    if (result.ok()) CHECK(*result == "abc");
    if (!result.ok()) CHECK(result.error().message.find("certificate") != std::string::npos);
  }
}

TEST_CASE("old versions of TLS, and what is no TLS, are unavailable") {
  const TemporaryDirectory directory;
  make_certificate(directory.path, "good", "DNS:localhost");
  const auto trusting = [&](S3ObjectStoreOptions& options) {
    options.ca_file = directory.path + "/good.pem";
  };
  {
    TlsServer server(directory.path, "good", {"-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"});
    PeerStore peer("https://localhost:" + server.port(), trusting);
    CHECK(outcome(peer.store->get("a")) == "unavailable");
  }
  RawServer plain([](RawSocket& socket, int) {
    socket.receive_some();
    socket.send(s3_response("200 OK", "abc"));
  });
  PeerStore peer("https://localhost:" + std::to_string(plain.port()), trusting);
  CHECK(outcome(peer.store->get("a")) == "unavailable");
}
