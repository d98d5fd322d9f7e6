// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <cstring>

#include "tls_session.h"
#include "transport.h"

namespace sandtrail::http {
namespace {

constexpr std::size_t kRecordBytes = 16 * 1024;  // RFC 8446 section 5.1
constexpr int kRecordsAtOnce = 16;               // then others of the thread have their turn

class TlsTransport : public Transport {
 public:
  TlsTransport(StreamSocket socket, TlsSettings& settings)
      : Transport(std::move(socket)), settings_(settings) {}
  bool encrypted() const override { return true; }
  std::optional<PeerIdentity> peer() const override {
    return session_ ? session_->peer() : std::nullopt;
  }
  void wait_readable(Done done) override;
  std::size_t read_now(asio::mutable_buffer buffer, error_code& error) override;
  void read_some(asio::mutable_buffer buffer, DoneBytes done) override;
  void write(std::vector<asio::const_buffer> buffers, DoneBytes done) override;
  void shutdown_send(error_code& error) override;
  void close() override;

 protected:
  void shake(DoneHandshake done);
  TlsSettings& settings() { return settings_; }
  bool block_not() {
    error_code error;
    socket().native_non_blocking(true, error);
    return !error;
  }

  std::unique_ptr<TlsSession> session_;

 private:
  void post_write(DoneBytes done);
  void write_more(DoneBytes done);
  std::size_t write_record(error_code& error);
  auto wait_for(bool space) { return space ? StreamSocket::wait_write : StreamSocket::wait_read; }

  TlsSettings& settings_;
  bool read_wants_space_ = false;
  std::vector<asio::const_buffer> writing_;  // what is left of it
  std::size_t written_bytes_ = 0;
};

// ---- handshake ----

void TlsTransport::shake(DoneHandshake done) {
  const error_code error = session_->handshake();
  if (!error) return done({});
  if (error != asio::error::would_block) return done(session_->failure(error));
  socket().async_wait(wait_for(session_->wants_write()),
                      [this, done = std::move(done)](const error_code& ended) mutable {
                        if (ended) {
                          return done(Error{ErrorCode::unavailable, ended.message(), ""});
                        }
                        shake(std::move(done));
                      });
}

class TlsClient final : public TlsTransport {
 public:
  TlsClient(StreamSocket socket, TlsSettings& settings, std::string host)
      : TlsTransport(std::move(socket), settings), host_(std::move(host)) {}
  void handshake(DoneHandshake done) override {
    if (block_not()) session_ = TlsSession::connect(settings(), socket().native_handle(), host_);
    if (!session_) return done(Error{ErrorCode::unavailable, "it cannot be set up", ""});
    shake(std::move(done));
  }

 private:
  const std::string host_;
};

// Costs no more than the bytes of the hello until that is whole.
class TlsServer final : public TlsTransport {
 public:
  using TlsTransport::TlsTransport;
  void handshake(DoneHandshake done) override {
    socket().async_wait(StreamSocket::wait_read,
                        [this, done = std::move(done)](const error_code& error) mutable {
                          gather(error, std::move(done));
                        });
  }

 private:
  void gather(error_code error, DoneHandshake done);

  Bytes early_;
  HelloGuard guard_;
};

void TlsServer::gather(error_code error, DoneHandshake done) {
  std::array<char, 4096> piece;
  std::size_t count = 0;
  if (!error) count = socket().read_some(asio::buffer(piece), error);
  if (error && error != asio::error::would_block) {
    return done(Error{ErrorCode::unavailable, error.message(), ""});
  }
  early_.append(piece.data(), count);
  switch (guard_.feed({piece.data(), count})) {
    case HelloGuard::State::hello:
      return handshake(std::move(done));
    case HelloGuard::State::http:
      return done(Error{ErrorCode::invalid_argument, "the client speaks plain HTTP", ""});
    case HelloGuard::State::failed:
      return done(Error{ErrorCode::unavailable, "the client does not speak TLS", ""});
    case HelloGuard::State::plain:
    case HelloGuard::State::encrypted:
      break;
  }
  session_ = TlsSession::accept(settings(), socket().native_handle(), std::move(early_), guard_);
  if (!session_) return done(Error{ErrorCode::unavailable, "it cannot be set up", ""});
  shake(std::move(done));
}

// ---- input ----

// A whole record is always read, so what the session still has is only what a caller with a small
// buffer left.
void TlsTransport::wait_readable(Done done) {
  if (session_->has_input()) {
    return asio::post(socket().get_executor(), [done = std::move(done)] { done({}); });
  }
  socket().async_wait(wait_for(read_wants_space_), std::move(done));
}

std::size_t TlsTransport::read_now(asio::mutable_buffer buffer, error_code& error) {
  const std::size_t count = session_->read(static_cast<char*>(buffer.data()), buffer.size(), error);
  read_wants_space_ = error == asio::error::would_block && session_->wants_write();
  return count;
}

void TlsTransport::read_some(asio::mutable_buffer buffer, DoneBytes done) {
  error_code error;
  const std::size_t count = read_now(buffer, error);
  if (error != asio::error::would_block) {
    // Never from within: a peer that sends without end would nest calls without end.
    return asio::post(socket().get_executor(),
                      [done = std::move(done), error, count] { done(error, count); });
  }
  wait_readable([this, buffer, done = std::move(done)](const error_code& ended) mutable {
    if (ended) return done(ended, 0);
    read_some(buffer, std::move(done));
  });
}

// ---- output ----

// The first piece is posted as well: `done` is never called from within.
void TlsTransport::write(std::vector<asio::const_buffer> buffers, DoneBytes done) {
  writing_ = std::move(buffers);
  written_bytes_ = 0;
  post_write(std::move(done));
}

void TlsTransport::post_write(DoneBytes done) {
  asio::post(socket().get_executor(),
             [this, done = std::move(done)]() mutable { write_more(std::move(done)); });
}

void TlsTransport::write_more(DoneBytes done) {
  for (int i = 0; i < kRecordsAtOnce; ++i) {
    while (!writing_.empty() && writing_.front().size() == 0) writing_.erase(writing_.begin());
    if (writing_.empty()) return done({}, written_bytes_);
    error_code error;
    std::size_t count = write_record(error);
    if (error == asio::error::would_block) {
      return socket().async_wait(wait_for(session_->wants_write()),
                                 [this, done = std::move(done)](const error_code& ended) mutable {
                                   if (ended) return done(ended, written_bytes_);
                                   write_more(std::move(done));
                                 });
    }
    if (error) return done(error, written_bytes_);
    written_bytes_ += count;
    for (asio::const_buffer& buffer : writing_) {
      const std::size_t gone = std::min(count, buffer.size());
      buffer += gone;
      count -= gone;
    }
  }
  post_write(std::move(done));
}

// Head and body of a small message share a record. The same bytes again after would_block, as
// OpenSSL wants it: they depend on writing_ only.
std::size_t TlsTransport::write_record(error_code& error) {
  const asio::const_buffer& first = writing_.front();
  if (first.size() >= kRecordBytes || writing_.size() == 1) {
    return session_->write(static_cast<const char*>(first.data()),
                           std::min(first.size(), kRecordBytes), error);
  }
  std::array<char, kRecordBytes> record;
  std::size_t filled = 0;
  for (const asio::const_buffer& buffer : writing_) {
    const std::size_t count = std::min(buffer.size(), record.size() - filled);
    if (count != 0) std::memcpy(record.data() + filled, buffer.data(), count);
    filled += count;
  }
  return session_->write(record.data(), filled, error);
}

// ---- ending ----

void TlsTransport::shutdown_send(error_code& error) {
  if (session_) session_->say_end();
  Transport::shutdown_send(error);
}

void TlsTransport::close() {
  if (session_) session_->detach();
  Transport::close();
}

}  // namespace

std::shared_ptr<Transport> make_tls_client(StreamSocket socket, TlsSettings& settings,
                                           std::string host) {
  return std::make_shared<TlsClient>(std::move(socket), settings, std::move(host));
}

std::shared_ptr<Transport> make_tls_server(StreamSocket socket, TlsSettings& settings) {
  return std::make_shared<TlsServer>(std::move(socket), settings);
}

}  // namespace sandtrail::http
