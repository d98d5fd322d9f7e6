// SPDX-License-Identifier: Apache-2.0
#include "s3_peer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>

namespace sandtrail::test {

std::string S3Request::field(const std::string& name) const {
  std::string lower = head;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const std::size_t at = lower.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + 2 + name.size() + 2;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

S3Request receive_request(RawSocket& socket) {
  S3Request request;
  request.head = socket.receive_until("\r\n\r\n");
  const std::string length = request.field("content-length");
  const std::size_t expected = length.empty() ? 0 : std::stoul(length);
  while (request.body.size() < expected) {
    const std::string more = socket.receive_some(expected - request.body.size());
    if (more.empty()) break;
    request.body += more;
  }
  return request;
}

std::string s3_response(const std::string& status, const std::string& body,
                        const std::string& fields) {
  return "HTTP/1.1 " + status + "\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

std::string s3_error(const std::string& status, const std::string& code) {
  return s3_response(status,
                     "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code +
                         "</Code><Message>m</Message><RequestId>r</RequestId></Error>",
                     "Content-Type: application/xml\r\n");
}

RawServer::Script answering(std::function<std::string(const S3Request&, int)> answer) {
  auto count = std::make_shared<std::atomic<int>>(0);
  return [answer = std::move(answer), count](RawSocket& socket, int) {
    for (;;) {
      const S3Request request = receive_request(socket);
      if (request.head.empty()) return;
      if (!socket.send(answer(request, (*count)++))) return;
    }
  };
}

PeerStore::PeerStore(const std::string& endpoint, const Change& change, const Clock* clock) {
  S3ObjectStoreOptions options;
  options.endpoint = endpoint;
  options.location = {"bucket", "p"};
  options.credentials = {"KEYID", SecretBytes(kPeerSecret), SecretBytes(kPeerToken)};
  if (change) change(options);
  auto opened =
      open_s3_object_store(std::move(options), clock == nullptr ? system_clock : *clock, random);
  REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? std::string() : opened.error().text()));
  store = std::move(*opened);
}

std::string outcome(const Error* error) {
  if (error == nullptr) return "ok";
  INFO(error->text());
  CHECK(error->text().find(kPeerSecret) == std::string::npos);
  CHECK(error->text().find(kPeerToken) == std::string::npos);
  CHECK(error->text().find("Signature=") == std::string::npos);
  return std::string(name_of(error->code));
}

std::string outcome(const Status& status) {
  return outcome(status.ok() ? nullptr : &status.error());
}

std::string outcome(const Result<Bytes>& result) {
  return outcome(result.ok() ? nullptr : &result.error());
}

}  // namespace sandtrail::test
