// SPDX-License-Identifier: Apache-2.0
// TLS of the client: against the openssl command line as server, with certificates that it makes;
// and mutual TLS, against our server.
#include <doctest/doctest.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <vector>

#include "base/limits.h"
#include "openssl_program.h"
#include "test_client.h"
#include "test_server.h"

using namespace sandtrail;
using namespace sandtrail::http;
using namespace sandtrail::http::test;

namespace {

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
  ClientOptions options;
  options.policy.allow_private = true;
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

// ---- mutual TLS ----

namespace {

ClientOptions as(const std::string& name, const std::string& peer_role) {
  ClientOptions options = open_options();
  use_certificate(options, name);
  options.peer_role = peer_role;
  return options;
}

Result<ClientResponse> get_from(const std::string& url, ClientOptions options) {
  const auto client = client_with(std::move(options));
  return call(*client, request_to(url));
}

}  // namespace

TEST_CASE("a client with a role in mind reaches only servers of that role") {
  TlsTestServer server;  // whose certificate says "server"
  CHECK(get_from(server.url("/echo"), as("host", "server")).ok());
  CHECK(server.last_request().peer == PeerIdentity{"host", "host-1"});
  CHECK(get_from(server.url("/echo"), as("host", "")).ok());
  ServerOptions options;
  options.tls = server_tls("billing");
  TestServer billing(1, options);
  const auto refused = get_from(billing.url("/echo"), as("host", "server"));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::denied);
  CHECK(refusal(refused).find("for the role 'billing', not for server") != std::string::npos);
  CHECK_FALSE(refused.error().retryable());
  CHECK(billing.last_request().method.empty());
  CHECK(get_from(billing.url("/echo"), as("host", "billing")).ok());
}

TEST_CASE("a server that names no role has none") {
  const TemporaryDirectory directory;
  make_certificate(directory, "own", "DNS:localhost");
  const TlsServer server(directory, "own");
  ClientOptions options = open_options();
  options.cert_file = options.key_file = "";
  options.ca_file = directory / "own.pem";
  CHECK(get_from(server.url("localhost"), options).ok());
  options.peer_role = "host";
  const auto refused = get_from(server.url("localhost"), options);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::denied);
}

TEST_CASE("a server must be where its certificate says, and of our authority") {
  const TemporaryDirectory directory;
  test_certificates().issue(directory.path(), "elsewhere",
                            {"server", "localhost", {"127.0.0.9", "other.example"}, days(9999)});
  ServerOptions options;
  options.tls = server_tls();
  options.tls->cert_file = directory / "elsewhere.crt";
  options.tls->key_file = directory / "elsewhere.key";
  TestServer elsewhere(1, options);
  const std::string port = ":" + std::to_string(elsewhere.server().port()) + "/echo";
  struct Row {
    std::string url;
    std::string name;
    std::string why;
  };
  TlsTestServer server;
  options.tls = server_tls("stranger");
  TestServer stranger(1, options);
  const Row rows[] = {
      {"https://127.0.0.1" + port, "host", "IP address mismatch"},
      {"https://localhost" + port, "host", "ostname mismatch"},  // its CN is no address
      {stranger.url("/echo"), "host", "unable to get local issuer certificate"},
      {server.url("/echo"), "stranger", "unknown ca"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.url);
    const auto result = get_from(row.url, as(row.name, "server"));
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == ErrorCode::unavailable);
    CHECK_MESSAGE(refusal(result).find(row.why) != std::string::npos, refusal(result));
  }
  ClientOptions nobody = open_options();
  nobody.cert_file = nobody.key_file = "";
  const auto refused = get_from(server.url("/echo"), nobody);
  REQUIRE_FALSE(refused.ok());
  CHECK(refusal(refused).find("certificate required") != std::string::npos);
  ClientOptions late = as("host", "server");
  const auto clock = std::make_shared<ManualClock>();
  clock->advance(days(36'501));
  late.clock = clock;
  CHECK(make_client(late).error().message.find("has expired") != std::string::npos);
}

TEST_CASE("a server's certificate counts at the time of the connection") {
  const TemporaryDirectory directory;
  test_certificates().issue(directory.path(), "short", {"server", "s", {"127.0.0.1"}, days(1)});
  ServerOptions options;
  options.tls = server_tls();
  options.tls->cert_file = directory / "short.crt";
  options.tls->key_file = directory / "short.key";
  TestServer server(1, options);
  const auto clock = std::make_shared<ManualClock>();
  ClientOptions at = as("host", "server");
  at.clock = clock;
  const auto client = client_with(at);
  CHECK(call(*client, request_to(server.url("/echo"))).ok());
  clock->advance(days(2));
  const auto result = call(*client, request_to(server.url("/echo")));
  CHECK(refusal(result).find("certificate has expired") != std::string::npos);
}

TEST_CASE("a client's new certificate is used by its next connection") {
  const TemporaryDirectory directory;
  const auto put = [&](const std::string& name) {
    test_certificates().issue(directory.path(), "own", {"host", name, {"localhost"}, days(9999)});
  };
  put("first");
  TlsTestServer server;
  ClientOptions options = as("host", "server");
  const auto clock = std::make_shared<ManualClock>();
  options.clock = clock;
  options.cert_file = directory / "own.crt";
  options.key_file = directory / "own.key";
  std::atomic<int> reloads{0};
  options.on_reload = [&](const Status& status) { reloads += status.ok() ? 1 : 100; };
  const auto client = client_with(options);
  const auto name_seen = [&] {
    ClientRequest request = request_to(server.url("/echo"));
    request.fields.add("Connection", "close");
    REQUIRE(call(*client, request).ok());
    return server.last_request().peer->name;
  };
  CHECK(name_seen() == "first");
  put("second");
  clock->advance(limits::kTlsFilesPeriod);
  CHECK(name_seen() == "second");
  CHECK(reloads == 1);
}

TEST_CASE("a client's TLS options must make sense") {
  struct Row {
    std::string what;
    std::function<void(ClientOptions&)> change;
    ErrorCode code;
  };
  const TemporaryDirectory directory;
  test_certificates().issue(directory.path(), "own", {"host", "h", {"localhost"}, days(9999)});
  shell("chmod 644 " + (directory / "own.key"));
  const Row rows[] = {
      {"no key", [](ClientOptions& o) { o.key_file = ""; }, ErrorCode::invalid_argument},
      {"no certificate", [](ClientOptions& o) { o.cert_file = ""; }, ErrorCode::invalid_argument},
      {"a role, and the system's authorities", [](ClientOptions& o) { o.ca_file = ""; },
       ErrorCode::invalid_argument},
      {"a role, and no look at it", [](ClientOptions& o) { o.verify_peer = false; },
       ErrorCode::invalid_argument},
      {"a key for all to read",
       [&](ClientOptions& o) {
         o.cert_file = directory / "own.crt";
         o.key_file = directory / "own.key";
       },
       ErrorCode::denied},
      {"another's key", [](ClientOptions& o) { o.key_file = test_certificates().path("ca.key"); },
       ErrorCode::corrupt},
      {"no such file", [](ClientOptions& o) { o.cert_file += "x"; }, ErrorCode::not_found},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    ClientOptions options = as("host", "server");
    row.change(options);
    const auto made = make_client(options);
    REQUIRE_FALSE(made.ok());
    CHECK(made.error().code == row.code);
  }
}
