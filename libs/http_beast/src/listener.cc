// SPDX-License-Identifier: Apache-2.0
#include "listener.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cstring>

#include "base/limits.h"

namespace sandtrail::http {
namespace {

using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr std::string_view kUnixScheme = "unix:";

Error listen_error(const ServerOptions& options, const error_code& error) {
  const bool is_unix = options.address.starts_with(kUnixScheme);
  const std::string where =
      options.address + (is_unix ? "" : " port " + std::to_string(options.port));
  const std::string message = "cannot listen on " + where + ": " + error.message();
  // Where a process of ours is told to listen.
  const std::string another =
      "; choose another: --listen, --admin-listen, or launcher.listen in the settings";
  if (error == asio::error::address_in_use) {
    return {ErrorCode::conflict, message, "port already in use" + another};
  }
  if (error == asio::error::access_denied) {
    return {
        ErrorCode::denied, message,
        is_unix ? "the directory must be writable" : "ports below 1024 need a privilege" + another};
  }
  if (error == boost::system::errc::address_not_available) {
    return {ErrorCode::unavailable, message,
            "no interface of this machine has that address" + another};
  }
  return {ErrorCode::internal, message, ""};
}

// The exclusive lock on `path`.lock, or conflict: another server lives.
Result<UniqueFd> lock_path(const std::string& path) {
  const std::string name = path + ".lock";
  UniqueFd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return errno_error("cannot open " + name, errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK) return errno_error("cannot lock " + name, errno);
  return Error{ErrorCode::conflict, "another server listens on " + path, "stop it first"};
}

// Removes the socket that a dead server left behind; never another kind of file.
Status remove_stale(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? Status() : errno_error("cannot look at " + path, errno);
  }
  if (!S_ISSOCK(info.st_mode)) {
    return Error{ErrorCode::conflict, path + " is there and is no socket", "choose another path"};
  }
  if (::unlink(path.c_str()) != 0) return errno_error("cannot remove " + path, errno);
  return {};
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(asio::io_context& context,
                                                 const ServerOptions& options) {
  std::unique_ptr<Listener> listener(new Listener(context));
  const bool is_unix = options.address.starts_with(kUnixScheme);
  ST_CHECK_OK(is_unix ? listener->open_unix(options, options.address.substr(kUnixScheme.size()))
                      : listener->open_tcp(options));
  return listener;
}

Status Listener::open_tcp(const ServerOptions& options) {
  error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) {
    return Error{ErrorCode::invalid_argument, "not an IP address to listen on: " + options.address,
                 "use 127.0.0.1, ::1, 0.0.0.0 or :: with --listen"};
  }
  const tcp::endpoint endpoint(address, options.port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(limits::kHttpBacklog, error);
  StreamEndpoint bound;
  if (!error) bound = acceptor_.local_endpoint(error);
  if (error) return listen_error(options, error);
  tcp::endpoint local;
  local.resize(bound.size());
  std::memcpy(local.data(), bound.data(), bound.size());
  port_ = local.port();
  return {};
}

Status Listener::open_unix(const ServerOptions& options, const std::string& path) {
  ST_CHECK_OK(check_unix_path(path));
  ST_ASSIGN(lock_, lock_path(path));
  ST_CHECK_OK(remove_stale(path));
  const asio::local::stream_protocol::endpoint endpoint(path);
  error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (error) return listen_error(options, error);
  path_ = path;
  // Nobody can connect before listen(), so the mode is never wrong for a caller.
  if (::chmod(path.c_str(), 0600) != 0) return errno_error("cannot set the mode of " + path, errno);
  acceptor_.listen(limits::kHttpBacklog, error);
  if (error) return listen_error(options, error);
  return {};
}

Listener::~Listener() {
  error_code ignored;
  acceptor_.close(ignored);
  if (!path_.empty()) ::unlink(path_.c_str());  // the lock is still held
}

std::string address_text(const StreamEndpoint& peer) {
  if (peer.protocol().family() == AF_UNIX) return std::string(kUnixAddress);
  tcp::endpoint address;
  address.resize(peer.size());
  std::memcpy(address.data(), peer.data(), peer.size());
  return address.address().to_string();
}

}  // namespace sandtrail::http
