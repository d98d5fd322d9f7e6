// SPDX-License-Identifier: Apache-2.0
// TLS against the openssl command line as server, with certificates that it makes.
#include <doctest/doctest.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "test_client.h"

using namespace sandtrail;
using namespace sandtrail::http;
using namespace sandtrail::http::test;

namespace {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char name[] = "/tmp/sandtrail-tls-XXXXXX";
    if (mkdtemp(name) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = name;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

void shell(const std::string& command) {
  if (system(("(" + command + ") >/dev/null 2>&1").c_str()) != 0) {
    throw std::runtime_error("failed: " + command);
  }
}

// A self-signed certificate, or its own authority, for `names` ("DNS:localhost,IP:127.0.0.1").
void make_certificate(const TemporaryDirectory& directory, const std::string& name,
                      const std::string& names) {
  shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=x" +
        (" -addext subjectAltName=" + names) + " -keyout " + (directory / (name + ".key")) +
        " -out " + (directory / (name + ".pem")));
}

// Signed by itself, but two days ago for one day.
void make_expired_certificate(const TemporaryDirectory& directory, const std::string& name) {
  make_certificate(directory, name, "DNS:localhost");
  shell(
      "cd " + (directory / "") + " && touch index.txt && echo 01 > serial && printf '" +
      "[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index.txt\\nserial=serial\\nnew_certs_dir=.\\n" +
      "default_md=sha256\\npolicy=p\\nx509_extensions=e\\n[p]\\ncommonName=supplied\\n" +
      "[e]\\nsubjectAltName=DNS:localhost\\nbasicConstraints=CA:TRUE\\n' > ca.cnf && " +
      "openssl req -new -key " + name + ".key -subj /CN=x -out r.csr && " +
      "openssl ca -batch -config ca.cnf -selfsign -keyfile " + name + ".key -cert " + name +
      ".pem -in r.csr -startdate 20200101000000Z -enddate 20200102000000Z -notext -out e.pem && " +
      "mv e.pem " + name + ".pem");
}

// openssl s_server, which answers GET with a page of its own.
class TlsServer {
 public:
  TlsServer(const TemporaryDirectory& directory, const std::string& name,
            std::vector<std::string> more = {}) {
    int out[2];
    if (pipe(out) != 0) throw std::runtime_error("pipe failed");
    std::vector<std::string> words{"openssl",
                                   "s_server",
                                   "-accept",
                                   "127.0.0.1:0",
                                   "-www",
                                   "-key",
                                   directory / (name + ".key"),
                                   "-cert",
                                   directory / (name + ".pem")};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_addclose(&actions, out[0]);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
    const int error = posix_spawnp(&pid_, "openssl", &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    output_ = fdopen(out[0], "r");
    if (error != 0) throw std::runtime_error("openssl cannot be started");
    char line[256];
    while (port_ == 0 && fgets(line, sizeof line, output_) != nullptr) {
      const std::string text = line;
      if (text.starts_with("ACCEPT ")) port_ = std::stoi(text.substr(text.rfind(':') + 1));
    }
    if (port_ == 0) throw std::runtime_error("openssl s_server does not listen");
  }
  ~TlsServer() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    fclose(output_);
  }
  std::string url(const std::string& host) const {
    return "https://" + host + ":" + std::to_string(port_) + "/";
  }

 private:
  pid_t pid_ = -1;
  FILE* output_ = nullptr;
  int port_ = 0;
};

Result<ClientResponse> get(const std::string& url, const std::string& ca_file, bool verify = true) {
  ClientOptions options = open_options();
  options.ca_file = ca_file;
  options.verify_peer = verify;
  const auto client = client_with(std::move(options));
  return call(*client, request_to(url));
}

std::string refusal(const Result<ClientResponse>& result) {
  return result ? "accepted" : result.error().message;
}

}  // namespace

TEST_CASE("a certificate must be for the host, in time, and from a known authority") {
  const TemporaryDirectory directory;
  make_certificate(directory, "good", "DNS:localhost,IP:127.0.0.1");
  make_certificate(directory, "other", "DNS:other.example,IP:127.0.0.9");
  make_expired_certificate(directory, "expired");
  const TlsServer good(directory, "good");
  const TlsServer other(directory, "other");
  const TlsServer expired(directory, "expired");

  const auto by_name = get(good.url("localhost"), directory / "good.pem");
  REQUIRE_MESSAGE(by_name.ok(), refusal(by_name));
  CHECK(by_name->status == 200);
  CHECK(by_name->timings.tls_us > 0);
  CHECK(by_name->body.find("TLSv1.3") != std::string::npos);
  CHECK(get(good.url("127.0.0.1"), directory / "good.pem").ok());

  struct Row {
    std::string name;
    std::string url;
    std::string ca_file;
  };
  const Row rows[] = {
      {"unknown authority", good.url("localhost"), ""},
      {"another authority", good.url("localhost"), directory / "other.pem"},
      {"wrong name", other.url("localhost"), directory / "other.pem"},
      {"wrong address", other.url("127.0.0.1"), directory / "other.pem"},
      {"expired", expired.url("localhost"), directory / "expired.pem"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto result = get(row.url, row.ca_file);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == ErrorCode::unavailable);
    CHECK(refusal(result).find("certificate verify failed") != std::string::npos);
    CHECK(get(row.url, row.ca_file, false).ok());  // only when told not to look
  }
}

TEST_CASE("the host is named to the peer, as virtual hosts need it") {
  const TemporaryDirectory directory;
  make_certificate(directory, "first", "DNS:other.example");
  make_certificate(directory, "named", "DNS:localhost");
  const TlsServer server(directory, "first",
                         {"-servername", "localhost", "-cert2", directory / "named.pem", "-key2",
                          directory / "named.key"});
  const auto result = get(server.url("localhost"), directory / "named.pem");
  CHECK_MESSAGE(result.ok(), refusal(result));
}

TEST_CASE("old protocol versions are refused") {
  const TemporaryDirectory directory;
  make_certificate(directory, "good", "DNS:localhost");
  const TlsServer old(directory, "good", {"-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"});
  const auto result = get(old.url("localhost"), directory / "good.pem");
  CHECK_FALSE(result.ok());
  const TlsServer current(directory, "good", {"-tls1_2"});
  CHECK(get(current.url("localhost"), directory / "good.pem").ok());
}

TEST_CASE("a peer that does not speak TLS is unavailable") {
  RawServer server([](RawSocket& socket, int) {
    socket.receive_some();
    socket.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  });
  const auto client = client_with(open_options());
  const std::string url = "https://127.0.0.1:" + std::to_string(server.port());
  CHECK(name_of_result(call(*client, request_to(url))) == "unavailable");
}

TEST_CASE("a peer that stalls the handshake is a time-out") {
  RawServer server([](RawSocket& socket, int) { socket.ended(); });
  const auto client = client_with(open_options());
  ClientRequest request = request_to("https://127.0.0.1:" + std::to_string(server.port()));
  request.timeout = Millis{100};
  CHECK(name_of_result(call(*client, request)) == "timeout");
}
