// SPDX-License-Identifier: Apache-2.0
#include "transport.h"

#include <boost/asio/write.hpp>

namespace sandtrail::http {
namespace {

class PlainTransport final : public Transport {
 public:
  using Transport::Transport;
  void read_some(asio::mutable_buffer buffer, DoneBytes done) override {
    socket().async_read_some(buffer, std::move(done));
  }
  void write(std::vector<asio::const_buffer> buffers, DoneBytes done) override {
    asio::async_write(socket(), std::move(buffers), std::move(done));
  }
};

}  // namespace

std::shared_ptr<Transport> make_plain_transport(StreamSocket socket) {
  return std::make_shared<PlainTransport>(std::move(socket));
}

}  // namespace sandtrail::http
