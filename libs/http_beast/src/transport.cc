// SPDX-License-Identifier: Apache-2.0
#include "transport.h"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>

namespace sandtrail::http {
namespace {

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(asio::io_context& context) : socket_(context) {}
  StreamSocket& socket() override { return socket_; }
  bool encrypted() const override { return false; }
  void handshake(Done done) override { done({}); }
  void read_some(asio::mutable_buffer buffer, DoneBytes done) override {
    socket_.async_read_some(buffer, std::move(done));
  }
  void write(std::vector<asio::const_buffer> buffers, DoneBytes done) override {
    asio::async_write(socket_, std::move(buffers), std::move(done));
  }

 private:
  StreamSocket socket_;
};

class TlsTransport final : public Transport {
 public:
  TlsTransport(asio::io_context& context, asio::ssl::context& settings)
      : stream_(context, settings) {}
  StreamSocket& socket() override { return stream_.next_layer(); }
  bool encrypted() const override { return true; }
  void handshake(Done done) override {
    stream_.async_handshake(asio::ssl::stream_base::client, std::move(done));
  }
  void read_some(asio::mutable_buffer buffer, DoneBytes done) override {
    stream_.async_read_some(buffer, std::move(done));
  }
  void write(std::vector<asio::const_buffer> buffers, DoneBytes done) override {
    asio::async_write(stream_, std::move(buffers), std::move(done));
  }
  // False if OpenSSL refuses the name.
  bool expect(const std::string& host) {
    error_code literal;
    asio::ip::make_address(host, literal);
    // RFC 6066 section 3: literals are not allowed as server names.
    if (literal && SSL_set_tlsext_host_name(stream_.native_handle(), host.c_str()) != 1) {
      return false;
    }
    error_code error;
    stream_.set_verify_callback(asio::ssl::host_name_verification(host), error);
    return !error;
  }

 private:
  asio::ssl::stream<StreamSocket> stream_;
};

class Settings final : public TlsSettings {
 public:
  Status load(const std::string& ca_file, bool verify_peer);
  Result<std::shared_ptr<Transport>> make(asio::io_context& context,
                                          const std::string& host) override {
    try {
      auto transport = std::make_shared<TlsTransport>(context, context_);
      if (transport->expect(host)) return std::shared_ptr<Transport>(std::move(transport));
      return Error{ErrorCode::invalid_argument, "TLS cannot name the host " + host, ""};
    } catch (const std::exception& failure) {  // the stream's constructor has no other way
      return Error{ErrorCode::unavailable, std::string("TLS: ") + failure.what(), ""};
    }
  }

 private:
  asio::ssl::context context_{asio::ssl::context::tls_client};
};

Status Settings::load(const std::string& ca_file, bool verify_peer) {
  SSL_CTX* raw = context_.native_handle();
  error_code error;
  context_.set_verify_mode(verify_peer ? asio::ssl::verify_peer : asio::ssl::verify_none, error);
  if (!error && ca_file.empty()) context_.set_default_verify_paths(error);
  if (!error && !ca_file.empty()) {
    if (!std::filesystem::exists(ca_file, error)) {
      return Error{ErrorCode::not_found, "no such file of certificate authorities: " + ca_file, ""};
    }
    context_.load_verify_file(ca_file, error);
    if (error) {
      return Error{ErrorCode::corrupt, "cannot read the certificate authorities in " + ca_file,
                   "it must hold certificates in PEM form"};
    }
  }
  constexpr unsigned char kAlpn[] = "\x08http/1.1";  // RFC 7301: length, name
  if (error || SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_alpn_protos(raw, kAlpn, sizeof kAlpn - 1) != 0) {
    return Error{ErrorCode::internal, "cannot set up TLS: " + error.message(), ""};
  }
  return {};
}

}  // namespace

std::shared_ptr<Transport> make_plain_transport(asio::io_context& context) {
  return std::make_shared<PlainTransport>(context);
}

Result<std::unique_ptr<TlsSettings>> make_tls_settings(const std::string& ca_file,
                                                       bool verify_peer) {
  try {
    auto settings = std::make_unique<Settings>();
    ST_CHECK_OK(settings->load(ca_file, verify_peer));
    return std::unique_ptr<TlsSettings>(std::move(settings));
  } catch (const std::exception& failure) {  // the context's constructor has no other way
    return Error{ErrorCode::internal, std::string("cannot set up TLS: ") + failure.what(), ""};
  }
}

}  // namespace sandtrail::http
