// SPDX-License-Identifier: Apache-2.0
#include "response_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "base/limits.h"

namespace sandtrail::http {
namespace {

namespace beast = boost::beast;
namespace beast_http = boost::beast::http;
using beast::string_view;

}  // namespace

struct ResponseReader::Parser final : beast_http::basic_parser<false> {
  Parser(ResponseReader& owner, bool skip_body) : owner_(owner) {
    header_limit(static_cast<std::uint32_t>(limits::kHttpHeaderBytesMax));
    body_limit(boost::none);  // the sink bounds it
    skip(skip_body);
  }

  void on_request_impl(beast_http::verb, string_view, string_view, int,
                       beast::error_code&) override {}
  void on_response_impl(int code, string_view, int, beast::error_code&) override {
    owner_.status_ = code;
  }
  void on_field_impl(beast_http::field, string_view name, string_view value,
                     beast::error_code& error) override {
    if (++fields_ > limits::kHttpFieldsMax) {
      error = beast_http::error::header_limit;
    } else if (!head_done_) {  // later ones are trailers
      owner_.fields_.add(std::string(name), std::string(value));
    }
  }
  void on_header_impl(beast::error_code&) override { head_done_ = true; }
  void on_body_init_impl(boost::optional<std::uint64_t> const&, beast::error_code&) override {}
  std::size_t on_body_impl(string_view body, beast::error_code& error) override {
    return pass(body, error);
  }
  void on_chunk_header_impl(std::uint64_t, string_view, beast::error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body,
                                 beast::error_code& error) override {
    return pass(body, error);
  }
  void on_finish_impl(beast::error_code&) override {}

  std::size_t pass(string_view body, beast::error_code& error) {
    if (!owner_.sink_({body.data(), body.size()})) {
      stopped_ = true;
      error = beast_http::error::body_limit;
    }
    return body.size();
  }

  ResponseReader& owner_;
  std::size_t fields_ = 0;
  bool head_done_ = false;
  bool stopped_ = false;
};

ResponseReader::ResponseReader(bool to_head_request, Sink sink)
    : to_head_request_(to_head_request), sink_(std::move(sink)) {}
ResponseReader::~ResponseReader() = default;

ResponseReader::State ResponseReader::fail(std::string why) {
  failure_ = std::move(why);
  return state_ = State::failed;
}

ResponseReader::State ResponseReader::feed(BytesView bytes) {
  if (state_ != State::head && state_ != State::body) return state_;
  pending_.append(bytes);
  while (state_ == State::head && read_head()) {
  }
  if (state_ == State::body) read_body();
  return state_;
}

// Reads one head if it is whole; true if it was an interim one, and another follows.
bool ResponseReader::read_head() {
  const std::size_t end = pending_.find("\r\n\r\n", scanned_ < 3 ? 0 : scanned_ - 3);
  const std::size_t head_bytes = end == std::string::npos ? pending_.size() : end + 4;
  if (interim_bytes_ + head_bytes > limits::kHttpHeaderBytesMax) {
    fail("the head of the response is too long");
    return false;
  }
  // Not HTTP at all shows in the first bytes; no use in waiting for the end of the head.
  constexpr std::string_view kStart = "HTTP/1.";
  if (!kStart.starts_with(std::string_view(pending_).substr(0, kStart.size()))) {
    fail("the response is not HTTP/1.1");
    return false;
  }
  scanned_ = pending_.size();
  if (end == std::string::npos) return false;
  fields_ = {};
  parser_ = std::make_unique<Parser>(*this, to_head_request_);
  beast::error_code error;
  parser_->put(boost::asio::const_buffer(pending_.data(), head_bytes), error);
  if (error) {
    fail("malformed response: " + error.message());
    return false;
  }
  pending_.erase(0, head_bytes);
  scanned_ = 0;
  if (status_ / 100 == 1) {
    if (status_ == 101) fail("the peer switches to a protocol that was not asked for");
    interim_bytes_ += head_bytes;
    return status_ != 101;
  }
  check_head();
  return false;
}

void ResponseReader::check_head() {
  state_ = State::body;
  const auto coding = fields_.get("Transfer-Encoding");
  if (status_ < 200 || status_ > 599) {
    fail("the response has no valid status");
  } else if (coding && (!same_field_name(*coding, "chunked") || fields_.has("Content-Length"))) {
    fail("the length of the response is ambiguous");
  }
}

void ResponseReader::read_body() {
  parser_->eager(true);
  beast::error_code error;
  std::size_t done = 0;
  while (!parser_->is_done() && done < pending_.size() && !error) {
    done += parser_->put(boost::asio::const_buffer(pending_.data() + done, pending_.size() - done),
                         error);
  }
  pending_.erase(0, done);
  if (parser_->stopped_) {
    state_ = State::stopped;
  } else if (parser_->is_done()) {
    // Bytes behind the end answer nothing that was asked.
    keep_alive_ = parser_->keep_alive() && pending_.empty();
    state_ = State::complete;
  } else if (error && error != beast_http::error::need_more) {
    fail("malformed response body: " + error.message());
  } else if (pending_.size() > limits::kHttpHeaderBytesMax) {
    fail("the trailers of the response are too long");
  }
}

ResponseReader::State ResponseReader::end() {
  if (state_ != State::head && state_ != State::body) return state_;
  if (state_ == State::head) {
    return fail(pending_.empty() ? "the peer closed without a response"
                                 : "the peer closed within the head of the response");
  }
  beast::error_code error;
  parser_->put_eof(error);
  if (error) return fail("the peer closed within the body of the response");
  return state_ = State::complete;
}

}  // namespace sandtrail::http
