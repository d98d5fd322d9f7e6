// SPDX-License-Identifier: Apache-2.0
// One type for TCP and unix sockets, so that everything above them is compiled once.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

namespace sandtrail::http {

namespace asio = boost::asio;
using StreamSocket = asio::generic::stream_protocol::socket;
using StreamEndpoint = asio::generic::stream_protocol::endpoint;
using StreamAcceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;

}  // namespace sandtrail::http
