// SPDX-License-Identifier: Apache-2.0
#include "raw_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

namespace sandtrail::http::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

void must(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string(what) + " failed");
}

void connect_to(int fd, std::uint16_t port) {
  const sockaddr_in address = loopback(port);
  must(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "connect");
}

}  // namespace

RawSocket::RawSocket(UniqueFd fd) : fd_(std::move(fd)) {
  const timeval patience{kPatienceMs / 1000, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const int on = 1;
  setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

RawSocket RawSocket::connect(std::uint16_t port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  must(fd.valid(), "socket");
  connect_to(fd.get(), port);
  return RawSocket(std::move(fd));
}

RawSocket RawSocket::connect_from(const char* address, std::uint16_t port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  must(fd.valid(), "socket");
  sockaddr_in own = loopback(0);
  must(inet_pton(AF_INET, address, &own.sin_addr) == 1, "inet_pton");
  must(bind(fd.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0, "bind");
  connect_to(fd.get(), port);
  return RawSocket(std::move(fd));
}

RawSocket RawSocket::connect_narrow(std::uint16_t port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  must(fd.valid(), "socket");
  const int segment = 536;
  const int window = 4096;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
  connect_to(fd.get(), port);
  return RawSocket(std::move(fd));
}

bool RawSocket::start_tls(const TlsPeer& peer) {
  const int fd = fd_.get();  // the socket may move
  tls_ = std::make_unique<TlsLayer>(
      peer, TlsLayer::Wire{[fd](std::string_view bytes) { return send_plain(fd, bytes); },
                           [fd] { return receive_plain(fd, 65536); }});
  return tls_->handshake();
}

bool RawSocket::send(std::string_view bytes) {
  return tls_ ? tls_->send(bytes) : send_plain(fd_.get(), bytes);
}

bool RawSocket::send_plain(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

std::string RawSocket::receive_some(std::size_t bytes_max) {
  if (!ahead_.empty()) {
    std::string out = ahead_.substr(0, bytes_max);
    ahead_.erase(0, out.size());
    return out;
  }
  return tls_ ? tls_->receive_some(bytes_max) : receive_plain(fd_.get(), bytes_max);
}

std::string RawSocket::receive_plain(int fd, std::size_t bytes_max) {
  std::string out(bytes_max, '\0');
  const ssize_t count = recv(fd, out.data(), out.size(), 0);
  out.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return out;
}

std::string RawSocket::receive_until(std::string_view end) {
  std::string out;
  for (;;) {
    const std::string more = receive_some();
    out += more;
    if (const std::size_t at = out.find(end); at != std::string::npos) {
      ahead_.insert(0, out.substr(at + end.size()));
      out.resize(at + end.size());
      return out;
    }
    if (more.empty()) return out;
  }
}

std::string RawSocket::receive_all() {
  std::string out;
  for (std::string more = receive_some(); !more.empty(); more = receive_some()) out += more;
  return out;
}

std::string RawSocket::receive_response(bool with_body) {
  std::string out = receive_until("\r\n\r\n");
  if (!with_body) return out;
  if (out.find("Transfer-Encoding: chunked") != std::string::npos) {
    return out + receive_until("0\r\n\r\n");
  }
  const std::size_t at = out.find("Content-Length: ");
  if (at == std::string::npos) return out;
  const std::size_t length = std::stoul(out.substr(at + 16));
  std::string body;
  while (body.size() < length) {
    const std::string more = receive_some(length - body.size());
    if (more.empty()) break;
    body += more;
  }
  return out + body;
}

bool RawSocket::readable() {
  pollfd wait{fd_.get(), POLLIN, 0};
  return !ahead_.empty() || (tls_ && tls_->readable()) || poll(&wait, 1, 0) == 1;
}

bool RawSocket::ended() {
  ahead_.clear();
  if (tls_) receive_all();
  char byte;
  for (;;) {
    const ssize_t count = recv(fd_.get(), &byte, 1, 0);
    if (count > 0) continue;
    return count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }
}

bool RawSocket::ended_cleanly() {
  ahead_.clear();
  if (tls_) {
    receive_all();
    if (!tls_->ended_orderly()) return false;
  }
  char bytes[4096];
  ssize_t count = 1;
  while (count > 0) count = recv(fd_.get(), bytes, sizeof bytes, 0);
  return count == 0;
}

void RawSocket::shutdown_write() {
  if (tls_) tls_->send_end();
  shutdown(fd_.get(), SHUT_WR);
}

void RawSocket::reset() {
  const linger now{1, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  fd_.reset();
}

RawServer::RawServer(Script script, bool tls) : script_(std::move(script)), tls_(tls) {
  listener_.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  must(listener_.valid(), "socket");
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  must(bind(listener_.get(), raw, length) == 0 && listen(listener_.get(), 64) == 0 &&
           getsockname(listener_.get(), raw, &length) == 0,
       "listen");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

RawServer::~RawServer() {
  stopping_ = true;
  shutdown(listener_.get(), SHUT_RDWR);  // wakes accept()
  thread_.join();
  for (auto& script : scripts_) script.join();
}

void RawServer::serve() {
  for (;;) {
    UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (stopping_ || !fd.valid()) return;
    scripts_.emplace_back([this, fd = std::move(fd), n = connections_++]() mutable {
      RawSocket connection(std::move(fd));
      TlsPeer peer;
      peer.name = "server";
      peer.server = true;
      if (tls_ && !connection.start_tls(peer)) return;
      script_(connection, n);
      // As a server does that means it; a script that does not has closed.
      if (tls_ && connection.get() >= 0) connection.shutdown_write();
    });
  }
}

std::string RawServer::url(std::string_view target) const {
  return (tls_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_) +
         std::string(target);
}

bool eventually(const std::function<bool()>& condition) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace sandtrail::http::test
