// SPDX-License-Identifier: Apache-2.0
#include "request_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "base/limits.h"
#include "http/client.h"

namespace sandtrail::http {
namespace {

namespace beast = boost::beast;
namespace beast_http = boost::beast::http;
using beast::string_view;

constexpr std::string_view kEndOfHead = "\r\n\r\n";

std::size_t count(const Fields& fields, std::string_view name) {
  return static_cast<std::size_t>(
      std::count_if(fields.all().begin(), fields.all().end(),
                    [&](const auto& field) { return same_field_name(field.first, name); }));
}

bool digits_only(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// True if a request line ends in " HTTP/" digit "." digit.
bool names_version(std::string_view line) {
  constexpr std::size_t kBytes = sizeof " HTTP/1.1" - 1;
  if (line.size() < kBytes) return false;
  const std::string_view tail = line.substr(line.size() - kBytes);
  return tail.starts_with(" HTTP/") && tail[7] == '.' && digits_only(tail.substr(6, 1)) &&
         digits_only(tail.substr(8, 1));
}

}  // namespace

// Beast calls these; they only copy. Trailer fields also arrive by on_field_impl() and are dropped:
// nothing may be said about a request after it was let in.
struct RequestReader::Parser final : beast_http::basic_parser<true> {
  Parser(Request& request, std::uint64_t body_bytes_max) : request_(request) {
    header_limit(static_cast<std::uint32_t>(limits::kHttpHeaderBytesMax));
    body_limit(body_bytes_max);
    eager(false);
  }

  void on_request_impl(beast_http::verb, string_view method, string_view target, int version,
                       beast::error_code&) override {
    request_.method.assign(method.data(), method.size());
    request_.target.assign(target.data(), target.size());
    http_1_0_ = version == 10;
  }
  void on_response_impl(int, string_view, int, beast::error_code&) override {}
  void on_field_impl(beast_http::field, string_view name, string_view value,
                     beast::error_code& error) override {
    if (++fields_ > limits::kHttpFieldsMax) {
      error = beast_http::error::header_limit;
    } else if (!head_done_) {
      request_.fields.add(std::string(name), std::string(value));
    }
  }
  void on_header_impl(beast::error_code&) override { head_done_ = true; }
  void on_body_init_impl(boost::optional<std::uint64_t> const&, beast::error_code&) override {}
  std::size_t on_body_impl(string_view body, beast::error_code&) override {
    request_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, string_view, beast::error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, beast::error_code&) override {
    request_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_finish_impl(beast::error_code&) override {}

  Request& request_;
  std::size_t fields_ = 0;
  bool http_1_0_ = false;
  bool head_done_ = false;
};

RequestReader::RequestReader(std::size_t body_bytes_max, BodyReservation reserved)
    : body_bytes_max_(body_bytes_max), reserved_(std::move(reserved)) {}
RequestReader::~RequestReader() = default;

RequestReader::State RequestReader::fail(int status, std::string detail) {
  failure_ = {status, std::move(detail)};
  drop();
  return state_ = State::failed;
}

void RequestReader::drop() {
  std::string().swap(pending_);  // clear() would keep the memory
  Bytes().swap(request_.body);
  parser_.reset();
  reserved_.resize(0);
}

// By what is here, not by Content-Length: to announce bodies must not use up the budget.
void RequestReader::reserve() {
  const bool past_head = state_ == State::body || state_ == State::complete;
  if (!reserved_.resize(past_head ? request_.body.size() + pending_.size() : 0)) {
    fail(503, "the bodies of too many requests are being received");
  }
}

RequestReader::State RequestReader::feed(BytesView bytes) {
  if (state_ == State::failed) return state_;
  pending_.append(bytes);
  if (state_ == State::complete) return state_;
  if (state_ == State::idle) {
    // RFC 9112 section 2.2: empty lines before a request line are ignored.
    const std::size_t begin = pending_.find_first_not_of("\r\n");
    pending_.erase(0, begin);
    if (!pending_.empty()) state_ = State::head;
  }
  if (state_ == State::head) read_head();
  if (state_ == State::body) {
    wants_continue_ = wants_continue_ && pending_.empty();
    read_body();
  }
  if (state_ == State::complete && pending_.empty()) pending_.shrink_to_fit();
  reserve();
  return state_;
}

// The parser gets a head only when it is whole, so all limits are checked here.
void RequestReader::read_head() {
  // The end may lie across two feeds; bytes before scanned_ are known to be good.
  const std::size_t end = pending_.find(kEndOfHead, scanned_ < 3 ? 0 : scanned_ - 3);
  const std::size_t head_bytes = end == std::string::npos ? pending_.size() : end + 4;
  const auto bad = std::find_if(
      pending_.begin() + scanned_, pending_.begin() + head_bytes,
      [](char c) { return (c < ' ' && c != '\r' && c != '\n' && c != '\t') || c > '~'; });
  if (bad != pending_.begin() + head_bytes) {
    fail(400, "the head of the request has a byte that is neither printable ASCII nor a blank");
    return;
  }
  const std::size_t line_bytes = std::min(pending_.find("\r\n"), head_bytes);
  const std::size_t target_at = std::min(pending_.find(' '), line_bytes) + 1;
  const std::size_t target_end = std::min(pending_.find(' ', target_at), line_bytes);
  if (target_end > target_at + limits::kHttpTargetBytesMax) {
    fail(414, "the request target is longer than " + std::to_string(limits::kHttpTargetBytesMax) +
                  " bytes");
    return;
  }
  if (head_bytes > limits::kHttpHeaderBytesMax) {
    fail(431, "the head of the request is longer than " +
                  std::to_string(limits::kHttpHeaderBytesMax) + " bytes");
    return;
  }
  if (end == std::string::npos) {
    scanned_ = pending_.size();
    return;
  }
  const std::string_view head(pending_.data(), head_bytes);
  if (head.find("\r\n ") != std::string_view::npos ||
      head.find("\r\n\t") != std::string_view::npos) {
    fail(400, "a field of the request is folded over lines");
    return;
  }
  parser_ = std::make_unique<Parser>(request_, body_bytes_max_);
  beast::error_code error;
  parser_->put(boost::asio::const_buffer(head.data(), head.size()), error);
  if (error == beast_http::error::body_limit) {
    fail(413, "the body is longer than " + std::to_string(body_bytes_max_) + " bytes");
  } else if (error == beast_http::error::header_limit) {
    fail(431, "the request has more than " + std::to_string(limits::kHttpFieldsMax) + " fields");
  } else if (error == beast_http::error::bad_version && names_version(head.substr(0, line_bytes))) {
    fail(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  } else if (error) {
    fail(400, "malformed request: " + error.message());
  } else {
    pending_.erase(0, head_bytes);
    scanned_ = 0;
    check_head();
  }
}

void RequestReader::check_head() {
  state_ = State::body;
  http_1_0_ = parser_->http_1_0_;
  keep_alive_ = parser_->keep_alive();
  check_framing();
  if (state_ == State::body) check_expectation();
  if (state_ == State::body) split_target();
}

// RFC 9112 section 6: how long the body is must be beyond doubt.
void RequestReader::check_framing() {
  const Fields& fields = request_.fields;
  const auto coding = fields.get("Transfer-Encoding");
  if (coding && (http_1_0_ || count(fields, "Transfer-Encoding") != 1)) {
    fail(400, "ambiguous Transfer-Encoding");
  } else if (coding && !same_field_name(*coding, "chunked")) {
    fail(501, "the only transfer coding is chunked");
  } else if (coding && fields.has("Content-Length")) {
    fail(400, "both Content-Length and Transfer-Encoding");
  } else if (const auto length = fields.get("Content-Length");
             length && (count(fields, "Content-Length") != 1 || !digits_only(*length))) {
    fail(400, "ambiguous Content-Length");
  } else if (count(fields, "Host") > 1 || (!http_1_0_ && !fields.has("Host"))) {
    fail(400, "a request has exactly one Host field");
  }
}

void RequestReader::check_expectation() {
  wants_continue_ = false;
  const auto expectation = request_.fields.get("Expect");
  if (!expectation || http_1_0_) return;
  if (count(request_.fields, "Expect") != 1 || !same_field_name(*expectation, "100-continue")) {
    fail(417, "the only expectation is 100-continue");
    return;
  }
  wants_continue_ = !parser_->is_done();
}

// RFC 9112 section 3.2: origin-form, absolute-form, and "*" for OPTIONS. No tunnels.
void RequestReader::split_target() {
  std::string_view target = request_.target;
  if (request_.method == "CONNECT") {
    fail(501, "no tunnels here");
    return;
  }
  std::string absolute;
  if (!target.starts_with('/') && !(target == "*" && request_.method == "OPTIONS")) {
    const auto url = parse_url(target);
    if (!url) {
      fail(400, "the request target is neither a path nor an absolute URL");
      return;
    }
    absolute = url->target;
    target = absolute;
  }
  const std::size_t mark = std::min(target.find('?'), target.size());
  request_.path = target.substr(0, mark);
  request_.query = target.substr(std::min(target.size(), mark + 1));
}

void RequestReader::read_body() {
  parser_->eager(true);
  beast::error_code error;
  std::size_t done = 0;
  while (!parser_->is_done() && done < pending_.size() && !error) {
    done += parser_->put(boost::asio::const_buffer(pending_.data() + done, pending_.size() - done),
                         error);
  }
  pending_.erase(0, done);
  if (parser_->is_done()) {
    state_ = State::complete;
    parser_.reset();
  } else if (error == beast_http::error::body_limit) {
    fail(413, "the body is longer than " + std::to_string(body_bytes_max_) + " bytes");
  } else if (error && error != beast_http::error::need_more) {
    fail(400, "malformed body: " + error.message());
  } else if (pending_.size() > limits::kHttpHeaderBytesMax) {
    // The parser waits for the end of a chunk's size line or of the trailers.
    fail(431, "the trailers of the request are too long");
  }
}

Request RequestReader::take() {
  Request out = std::move(request_);
  request_ = Request{};
  request_.method = out.method;  // head_method() goes by it
  return out;
}

RequestReader::State RequestReader::next() {
  request_ = Request{};
  parser_.reset();
  wants_continue_ = false;
  scanned_ = 0;
  state_ = State::idle;
  return pending_.empty() ? state_ : feed({});
}

}  // namespace sandtrail::http
