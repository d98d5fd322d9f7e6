// SPDX-License-Identifier: Apache-2.0
// What mutual TLS adds to the server: who is let in, as whom, and what handshakes may cost.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/file.h"
#include "base/limits.h"
#include "base/random.h"
#include "http_beast/server.h"
#include "openssl_program.h"
#include "test_server.h"

using namespace sandtrail;
using namespace sandtrail::http;
using namespace sandtrail::http::test;

namespace {

const std::string kGet = "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kHold = "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n";

bool never_called(TestServer& server) {
  return server.last_request().method.empty();
}

// With the certificate `name`: "accepted", or why not in OpenSSL's words. In TLS 1.3 a client has
// finished before the server has judged it, so the refusal comes instead of an answer.
std::string outcome(TestServer& server, const TlsPeer& peer) {
  RawSocket socket = RawSocket::connect(server.server().port());
  if (socket.start_tls(peer) && socket.send(kGet) && status_of(socket.receive_response()) == 200) {
    return "accepted";
  }
  return socket.tls().error();
}
std::string outcome(TestServer& server, const std::string& name) {
  TlsPeer peer;
  peer.name = name;
  return outcome(server, peer);
}

// The bytes of a client's first message.
std::string client_hello() {
  std::string out;
  TlsLayer layer({}, {[&](std::string_view bytes) {
                        out += bytes;
                        return true;
                      },
                      [] { return std::string(); }});
  layer.handshake();
  return out;
}

// Issued by the test's authority for what `subject` and `extensions` (of openssl x509) say.
std::string certificate_as(const TemporaryDirectory& directory, const std::string& file,
                           const std::string& subject, const std::string& extensions) {
  const std::string base = directory / file;
  shell("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -utf8 -subj '" +
        subject + "' -keyout " + base + ".key -out " + base + ".csr && printf '" + extensions +
        "' > " + base + ".ext && openssl x509 -req -in " + base + ".csr -CA " +
        test_certificates().path("ca.crt") + " -CAkey " + test_certificates().path("ca.key") +
        " -extfile " + base + ".ext -days 30 -set_serial 1 -out " + base + ".crt");
  return base;
}

}  // namespace

TEST_CASE("the handler learns who the peer is, on a plain connection nothing") {
  TlsTestServer server;
  for (const std::string name : {"host", "billing", "server"}) {
    CHECK(outcome(server, name) == "accepted");
    CHECK(server.last_request().peer == PeerIdentity{name, name + "-1"});
    CHECK(server.last_request().peer_address == "127.0.0.1");
  }
  PlainTestServer plain;
  RawSocket socket = plain.connect();
  socket.send(kGet);
  CHECK(status_of(socket.receive_response()) == 200);
  CHECK_FALSE(plain.last_request().peer.has_value());
}

TEST_CASE("a client without a good certificate never reaches the handler") {
  const TemporaryDirectory directory;
  TestCertificates& certificates = test_certificates();
  const CertificateWish wish{"host", "host-1", {"localhost"}, days(1)};
  certificates.issue(directory.path(), "short", wish);
  certificates.issue(directory.path(), "long", wish);
  Bytes chain = *read_file(directory / "long.crt", 1u << 20);
  for (int i = 0; i < 80; ++i) chain += *read_file(certificates.path("ca.crt"), 1u << 20);
  REQUIRE(write_file_durably(directory / "long.crt", chain, 0644).ok());

  TlsTestServer server;
  CHECK(outcome(server, directory / "short") == "accepted");
  TlsTestServer later;
  later.clock().advance(days(2));
  CHECK(outcome(later, directory / "short") == "sslv3 alert certificate expired");
  TlsTestServer earlier;
  earlier.clock().jump(Millis{-hours(1).count});
  CHECK(outcome(earlier, "host") == "sslv3 alert bad certificate");
  TlsTestServer fresh;
  CHECK(outcome(fresh, "") == "tlsv13 alert certificate required");
  CHECK(outcome(fresh, "stranger") == "tlsv1 alert unknown ca");
  CHECK(outcome(fresh, directory / "long") != "accepted");
  TlsPeer old;
  old.old = true;
  CHECK(outcome(fresh, old) == "tlsv1 alert protocol version");
  TlsPeer other_protocol;
  other_protocol.protocols = "h2";
  CHECK(outcome(fresh, other_protocol) == "tlsv1 alert no application protocol");
  other_protocol.protocols = "http/1.1";
  for (TestServer* refusing : {&static_cast<TestServer&>(later), &static_cast<TestServer&>(earlier),
                               &static_cast<TestServer&>(fresh)}) {
    CHECK(never_called(*refusing));
    CHECK(eventually([&] { return refusing->server().connections() == 0; }));
  }
  CHECK(outcome(fresh, other_protocol) == "accepted");
}

TEST_CASE("a certificate must say one role and one name, and be for clients") {
  struct Row {
    std::string subject;
    std::string extensions;
    std::string role;  // "": refused
  };
  const std::string client = "extendedKeyUsage=clientAuth\\n";
  const Row rows[] = {
      {"/OU=host/CN=h", client, "host"},
      {"/O=x/OU=host/CN=h", client, "host"},
      {"/OU=host/CN=h", "basicConstraints=CA:FALSE\\n", "host"},  // for anything
      {"/CN=h", client, ""},
      {"/OU=host", client, ""},
      {"/OU=host/OU=launcher/CN=h", client, ""},
      {"/OU=host/CN=h/CN=i", client, ""},
      {"/OU=h\xc3\xb6st/CN=h", client, ""},
      {"/OU=host/CN=h", "extendedKeyUsage=serverAuth\\n", ""},
      {"/OU=host/CN=h", "extendedKeyUsage=emailProtection\\n", ""},
      {"/OU=host/CN=h", client + "1.2.3.4=critical,ASN1:NULL\\n", ""},
  };
  const TemporaryDirectory directory;
  TlsTestServer server;
  // By the dates that openssl gives, and a little later.
  server.clock().jump(SystemClock().now() + hours(1) - server.clock().now());
  int number = 0;
  for (const Row& row : rows) {
    CAPTURE(row.subject);
    CAPTURE(row.extensions);
    const std::string file = std::to_string(number++);
    const std::string base = certificate_as(directory, file, row.subject, row.extensions);
    CHECK((outcome(server, base) == "accepted") == !row.role.empty());
    if (!row.role.empty()) CHECK(server.last_request().peer == PeerIdentity{row.role, "h"});
  }
}

TEST_CASE("who speaks plain HTTP to it is told so") {
  TlsTestServer server;
  for (const std::string& request : {kGet, std::string("POST /"), std::string("G")}) {
    RawSocket socket = RawSocket::connect(server.server().port());
    socket.send(request);
    const std::string response = socket.receive_all();
    CHECK(status_of(response) == 400);
    CHECK(body_of(response) == "this port speaks HTTPS only\n");
  }
  CHECK(never_called(server));
}

TEST_CASE("garbage ends the connection, whatever it is") {
  TlsTestServer server;
  const auto send = [&](const std::string& bytes) {
    RawSocket socket = RawSocket::connect(server.server().port());
    socket.send(bytes);
    socket.shutdown_write();
    return socket.receive_all().find("HTTP") == std::string::npos;
  };
  CHECK(send(""));
  CHECK(send(std::string(100'000, '\0')));
  CHECK(send(std::string(100'000, '\x16')));
  CHECK(send("SSH-2.0-OpenSSH_9.2\r\n") == false);  // taken for a method: told what to speak
  const std::string hello = client_hello();
  REQUIRE(hello.size() > 100);
  SeededRandom random(11);
  for (int i = 0; i < 300; ++i) {
    std::string bytes = hello;
    for (std::uint64_t n = random.below(4); n > 0; --n) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    }
    bytes.resize(random.below(bytes.size() + 1));
    bytes += random.bytes(random.below(2) * random.below(2000));
    if (!bytes.empty() && bytes[0] >= 'A' && bytes[0] <= 'Z') continue;
    CHECK(send(bytes));
  }
  CHECK(never_called(server));
  CHECK(eventually([&] { return server.server().connections() == 0; }));
  CHECK(outcome(server, "host") == "accepted");
}

TEST_CASE("a handshake that stalls is cut when a head would be") {
  const std::string hello = client_hello();
  TlsTestServer server;
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, hello.size() - 1, hello.size()}) {
    CAPTURE(bytes);
    RawSocket socket = RawSocket::connect(server.server().port());
    socket.send(hello.substr(0, bytes));
    REQUIRE(eventually([&] { return server.server().connections() == 1; }));
    CHECK(server.pass_time_until([&] { return server.server().connections() == 0; }));
    CHECK(socket.ended());
  }
}

TEST_CASE("the handshake takes from the time for the first byte") {
  TlsTestServer server;
  RawSocket socket = RawSocket::connect(server.server().port());
  REQUIRE(eventually([&] { return server.server().connections() == 1; }));
  server.clock().advance(Millis{limits::kHttpHeaderTimeout.count - 2000});
  REQUIRE(socket.start_tls({}));
  server.clock().advance(Millis{4000});
  CHECK(eventually([&] { return server.server().connections() == 0; }));
}

TEST_CASE("a client that goes away in the handshake leaves nothing behind") {
  const std::string hello = client_hello();
  TlsTestServer server(2);
  SeededRandom random(5);
  for (int i = 0; i < 100; ++i) {
    RawSocket socket = RawSocket::connect(server.server().port());
    const auto way = random.below(4);
    socket.send(hello.substr(0, way == 2 ? hello.size() : random.below(hello.size() + 1)));
    if (way == 1) socket.shutdown_write();
    if (way == 2) socket.receive_some(10);
    if (way == 2 || way == 3) socket.reset();
  }
  CHECK(server.pass_time_until([&] { return server.server().connections() == 0; }));
  CHECK(outcome(server, "host") == "accepted");
}

TEST_CASE("handshakes count as connections") {
  ServerOptions options;
  options.connections_max = 3;
  TlsTestServer server(1, options);
  std::vector<RawSocket> stalled;
  for (int i = 0; i < 3; ++i) stalled.push_back(RawSocket::connect(server.server().port()));
  REQUIRE(eventually([&] { return server.server().connections() == 3; }));
  RawSocket refused = server.connect();
  refused.send(kGet);
  CHECK(status_of(refused.receive_all()) == 503);
  stalled.pop_back();
  CHECK(eventually([&] {
    RawSocket again = server.connect();
    again.send(kGet);
    return status_of(again.receive_response()) == 200;
  }));
}

TEST_CASE("stopping does not wait for handshakes") {
  TlsTestServer server;
  RawSocket stalled = RawSocket::connect(server.server().port());
  stalled.send(client_hello());
  stalled.receive_some();
  server.server().stop(Millis{kPatienceMs});
  CHECK(server.server().connections() == 0);
  CHECK(stalled.ended());
}

TEST_CASE("an orderly end is told from a cut one") {
  TlsTestServer server;
  RawSocket done = server.connect();
  done.send("GET /close HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(body_of(done.receive_response()) == "bye");
  CHECK(done.ended_cleanly());
  RawSocket cut = server.connect();
  cut.send("GET /stream HTTP/1.0\r\n\r\n");
  auto stream = server.take_stream();
  stream->write("part");
  CHECK(cut.receive_until("part").ends_with("part"));
  stream.reset();
  CHECK(cut.receive_all() == "");
  CHECK_FALSE(cut.tls().ended_orderly());
}

TEST_CASE("no session can be resumed, so every connection shows its certificate") {
  TlsTestServer server;
  RawSocket socket = server.connect();
  socket.send(kGet);
  CHECK(status_of(socket.receive_response()) == 200);
  CHECK_FALSE(socket.tls().has_ticket());
}

namespace {

// A server whose files the test replaces.
struct Rotation {
  TemporaryDirectory directory;
  std::mutex mutex;
  std::vector<Status> reloads;
  ServerOptions options;

  Rotation() {
    put("first");
    options.tls.emplace();
    options.tls->cert_file = directory / "own.crt";
    options.tls->key_file = directory / "own.key";
    options.tls->ca_file = directory / "ca.crt";
    options.tls->on_reload = [this](const Status& status) {
      const std::lock_guard lock(mutex);
      reloads.push_back(status);
    };
    trust("ca.crt");
  }
  void put(const std::string& name) {
    test_certificates().issue(directory.path(), "own", {"server", name, {"127.0.0.1"}, days(30)});
  }
  void trust(const std::string& file) { copy(test_certificates().path(file), "ca.crt"); }
  void copy(const std::string& from, const std::string& to) {
    std::filesystem::copy_file(from, directory / to,
                               std::filesystem::copy_options::overwrite_existing);
  }
  std::vector<Status> seen() {
    const std::lock_guard lock(mutex);
    return reloads;
  }
};

std::string certificate_of(TestServer& server) {
  RawSocket socket = server.connect();
  return socket.tls().certificate_name();
}

}  // namespace

TEST_CASE("changed files are used by new connections, and bad ones are not") {
  Rotation files;
  TestServer server(1, files.options);
  const auto pass = [&] { server.clock().advance(limits::kTlsFilesPeriod); };
  CHECK(certificate_of(server) == "first");
  RawSocket kept = server.connect();
  files.put("second");
  pass();
  CHECK(certificate_of(server) == "second");
  REQUIRE(files.seen().size() == 1);
  CHECK(files.seen()[0].ok());

  files.copy(test_certificates().path("host.crt"), "own.crt");  // half of a pair
  for (int i = 0; i < 3; ++i) {
    pass();
    CHECK(certificate_of(server) == "second");
  }
  REQUIRE(files.seen().size() == 2);  // reported once
  CHECK(files.seen()[1].error().code == ErrorCode::corrupt);
  CHECK(files.seen()[1].error().message.find("own.key") != std::string::npos);
  files.copy(test_certificates().path("host.key"), "own.key");
  pass();
  CHECK(certificate_of(server) == "host-1");
  std::filesystem::remove(files.directory / "own.key");
  pass();
  CHECK(certificate_of(server) == "host-1");
  REQUIRE(files.seen().size() == 4);
  CHECK(files.seen()[2].ok());
  CHECK(files.seen()[3].error().code == ErrorCode::not_found);
  kept.send(kGet);
  CHECK(status_of(kept.receive_response()) == 200);
}

TEST_CASE("another authority counts for new connections") {
  Rotation files;
  TestServer server(1, files.options);
  RawSocket kept = server.connect();
  CHECK(outcome(server, "stranger") == "tlsv1 alert unknown ca");
  files.trust("other-ca.crt");
  server.clock().advance(limits::kTlsFilesPeriod);
  CHECK(outcome(server, "stranger") == "accepted");
  CHECK(outcome(server, "host") == "tlsv1 alert unknown ca");
  kept.send(kGet);
  CHECK(status_of(kept.receive_response()) == 200);
  // Both, as while one authority follows another.
  const Bytes both = *read_file(test_certificates().path("ca.crt"), 1u << 20) +
                     *read_file(test_certificates().path("other-ca.crt"), 1u << 20);
  REQUIRE(write_file_durably(files.directory / "ca.crt", both, 0644).ok());
  server.clock().advance(limits::kTlsFilesPeriod);
  CHECK(outcome(server, "stranger") == "accepted");
  CHECK(outcome(server, "host") == "accepted");
}

TEST_CASE("files that cannot be used are errors that name them") {
  struct Row {
    std::string what;
    std::function<void(Rotation&)> spoil;
    ErrorCode code;
    std::string named;
  };
  const auto write = [](Rotation& files, const std::string& name, BytesView content) {
    REQUIRE(write_file_durably(files.directory / name, content, 0600).ok());
  };
  const Row rows[] = {
      {"no certificate", [](Rotation& r) { std::filesystem::remove(r.directory / "own.crt"); },
       ErrorCode::not_found, "own.crt"},
      {"no key", [](Rotation& r) { std::filesystem::remove(r.directory / "own.key"); },
       ErrorCode::not_found, "own.key"},
      {"no authority", [](Rotation& r) { std::filesystem::remove(r.directory / "ca.crt"); },
       ErrorCode::not_found, "ca.crt"},
      {"a key for all to read",
       [](Rotation& r) { ::chmod((r.directory / "own.key").c_str(), 0640); }, ErrorCode::denied,
       "own.key"},
      {"an empty certificate", [&](Rotation& r) { write(r, "own.crt", ""); }, ErrorCode::corrupt,
       "own.crt"},
      {"an empty key", [&](Rotation& r) { write(r, "own.key", ""); }, ErrorCode::corrupt,
       "own.key"},
      {"an empty authority", [&](Rotation& r) { write(r, "ca.crt", "\n"); }, ErrorCode::corrupt,
       "ca.crt"},
      {"half a certificate",
       [&](Rotation& r) {
         write(r, "own.crt", read_file(r.directory / "own.crt", 1u << 20)->substr(0, 200));
       },
       ErrorCode::corrupt, "own.crt"},
      {"a key with a passphrase",
       [](Rotation& r) {
         shell("openssl pkcs8 -topk8 -passout pass:x -in " + (r.directory / "own.key") + " -out " +
               (r.directory / "k") + " && cat " + (r.directory / "k") + " > " +
               (r.directory / "own.key"));
       },
       ErrorCode::corrupt, "own.key"},
      {"another key", [](Rotation& r) { r.copy(test_certificates().path("host.key"), "own.key"); },
       ErrorCode::corrupt, "own.key"},
      {"a name left out", [](Rotation& r) { r.options.tls->ca_file = ""; },
       ErrorCode::invalid_argument, ""},
      {"a unix socket", [](Rotation& r) { r.options.address = "unix:" + (r.directory / "s"); },
       ErrorCode::invalid_argument, ""},
  };
  const auto start = [](Rotation& files, std::shared_ptr<const Clock> clock) {
    return start_server(
        files.options, [](Request, std::shared_ptr<Responder>) {}, 1, std::move(clock));
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Rotation files;
    row.spoil(files);
    const auto started = start(files, std::make_shared<ManualClock>());
    REQUIRE_FALSE(started.ok());
    CHECK(started.error().code == row.code);
    CHECK(started.error().message.find(row.named) != std::string::npos);
  }
  Rotation files;
  const auto late = std::make_shared<ManualClock>();
  late->advance(days(31));
  const auto expired = start(files, late);
  REQUIRE_FALSE(expired.ok());
  CHECK(expired.error().text().find("own.crt has expired") != std::string::npos);
}
