// SPDX-License-Identifier: Apache-2.0
// Server and client over unix sockets.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <future>

#include "base/fd.h"
#include "base/file.h"
#include "http_beast/client.h"
#include "http_beast/server.h"

namespace sandtrail::http {
namespace {

class Directory {
 public:
  Directory() { REQUIRE(::mkdtemp(path_) != nullptr); }
  ~Directory() {
    for (const char* name : {"/s", "/s.lock", "/file"})
      ::unlink((path_ + std::string(name)).c_str());
    ::rmdir(path_);
  }
  std::string operator/(const std::string& name) const { return path_ + ("/" + name); }

 private:
  char path_[32] = "/tmp/sandtrail-unix-XXXXXX";
};

// Says who asked for what.
void answer(Request request, std::shared_ptr<Responder> responder) {
  Response response;
  response.body = request.peer_address + " " + request.target + " " +
                  std::string(request.fields.get("Host").value_or("")) + " " + request.body;
  responder->respond(std::move(response));
}

Result<std::unique_ptr<Server>> serve(const std::string& path) {
  ServerOptions options;
  options.address = "unix:" + path;
  options.connections_per_address_max = 1;  // does not bind here
  return start_server(std::move(options), answer, 1);
}

Result<ClientResponse> ask(Client& client, const std::string& path, const std::string& body = "") {
  ClientRequest request;
  request.method = body.empty() ? "GET" : "POST";
  request.url = *parse_url("http://localhost/a?b=1");
  request.unix_path = path;
  request.body = body;
  request.response_bytes_max = 1 << 20;
  std::promise<Result<ClientResponse>> promise;
  auto answered = promise.get_future();
  client.send(std::move(request),
              [&promise](Result<ClientResponse> result) { promise.set_value(std::move(result)); });
  return answered.get();
}

std::unique_ptr<Client> new_client() {
  auto client = make_client({});
  REQUIRE(client.ok());
  return std::move(*client);
}

TEST_CASE("a request goes through a unix socket, which only its owner may use") {
  const Directory directory;
  const std::string path = directory / "s";
  auto server = serve(path);
  REQUIRE_MESSAGE(server.ok(), server.error().text());
  CHECK((*server)->port() == 0);
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK(S_ISSOCK(info.st_mode));
  CHECK((info.st_mode & 0777) == 0600);

  const auto client = new_client();
  const auto first = ask(*client, path);
  REQUIRE_MESSAGE(first.ok(), first.error().text());
  CHECK(first->status == 200);
  CHECK(first->body == "unix /a?b=1 localhost ");
  const auto second = ask(*client, path, std::string(100'000, 'x'));
  REQUIRE_MESSAGE(second.ok(), second.error().text());
  CHECK(second->body.ends_with(std::string(100'000, 'x')));
}

TEST_CASE("a connection to a unix socket is kept and used again") {
  const Directory directory;
  auto server = serve(directory / "s");
  REQUIRE(server.ok());
  const auto client = new_client();
  for (int i = 0; i < 3; ++i) REQUIRE(ask(*client, directory / "s").ok());
  CHECK((*server)->connections() == 1);
  const auto second = ask(*new_client(), directory / "s");  // their addresses are the same
  REQUIRE(second.ok());
  CHECK(second->status == 200);
}

TEST_CASE("a stopped server leaves no socket, and another may follow it") {
  const Directory directory;
  for (int i = 0; i < 2; ++i) {
    auto server = serve(directory / "s");
    REQUIRE_MESSAGE(server.ok(), server.error().text());
    (*server)->stop(Millis{0});
    CHECK(::access((directory / "s").c_str(), F_OK) != 0);
  }
}

TEST_CASE("the socket of a dead server is replaced") {
  const Directory directory;
  const std::string path = directory / "s";
  {
    const UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    REQUIRE(::bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  const auto client = new_client();
  CHECK(ask(*client, path).error().code == ErrorCode::unavailable);
  auto server = serve(path);
  REQUIRE_MESSAGE(server.ok(), server.error().text());
  CHECK(ask(*client, path).ok());
}

TEST_CASE("the socket of a live server is not taken") {
  const Directory directory;
  auto server = serve(directory / "s");
  REQUIRE(server.ok());
  const auto other = serve(directory / "s");
  REQUIRE_FALSE(other.ok());
  CHECK(other.error().code == ErrorCode::conflict);
  CHECK(ask(*new_client(), directory / "s").ok());
}

TEST_CASE("a file that is no socket is left alone") {
  const Directory directory;
  const std::string path = directory / "file";
  REQUIRE(write_file_durably(path, "precious", 0600).ok());
  const auto server = serve(path);
  ::unlink((path + ".lock").c_str());
  REQUIRE_FALSE(server.ok());
  CHECK(server.error().code == ErrorCode::conflict);
  CHECK(*read_file(path, 100) == "precious");
}

TEST_CASE("paths that no socket can have, and https over one, are refused") {
  const Directory directory;
  for (const std::string& path :
       {std::string("relative"), "/" + std::string(107, 'x'), std::string("/a\0b", 4)}) {
    CAPTURE(path);
    const auto server = serve(path);
    REQUIRE_FALSE(server.ok());
    CHECK(server.error().code == ErrorCode::invalid_argument);
    CHECK(ask(*new_client(), path).error().code == ErrorCode::invalid_argument);
  }
  ClientRequest request;
  request.url = *parse_url("https://localhost/");
  request.unix_path = directory / "s";
  CHECK(check_request(request).error().code == ErrorCode::invalid_argument);
}

TEST_CASE("a server that is not there is unavailable, and the path is named") {
  const Directory directory;
  const auto missing = ask(*new_client(), directory / "s");
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == ErrorCode::unavailable);
  CHECK(missing.error().message.find(directory / "s") != std::string::npos);
}

}  // namespace
}  // namespace sandtrail::http
