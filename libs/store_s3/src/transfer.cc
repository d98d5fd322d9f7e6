// SPDX-License-Identifier: Apache-2.0
#include "transfer.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "base/limits.h"
#include "text.h"

namespace sandtrail::s3 {
namespace {

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, ListDeleter>;

struct HandleDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, HandleDeleter>;

// What the callbacks of one exchange share.
struct Progress {
  CURL* handle = nullptr;
  const Exchange* exchange = nullptr;
  std::size_t sent = 0;
  std::size_t header_bytes = 0;
  bool head_complete = false;
  bool chunked = false;
  bool cut = false;  // by us: of the answer's body no more is needed
  Answer answer;
};

int status_of(CURL* handle) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

// As announced; nullopt if it was not.
std::optional<std::size_t> length_of(CURL* handle) {
  curl_off_t length = -1;
  curl_easy_getinfo(handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  if (length < 0) return std::nullopt;
  return static_cast<std::size_t>(length);
}

std::size_t on_body(char* data, std::size_t /*one*/, std::size_t count, void* user) {
  auto& progress = *static_cast<Progress*>(user);
  const bool is_object =
      progress.exchange->method == Exchange::Method::get && status_of(progress.handle) == 200;
  const std::size_t bytes_max = is_object ? limits::kObjectBytesMax : limits::kS3ErrorBytesMax;
  const std::size_t announced = length_of(progress.handle).value_or(0);
  Bytes& body = progress.answer.body;
  const std::size_t room = bytes_max - body.size();
  if ((is_object && announced > bytes_max) || count > room) {
    body.append(data, std::min(count, room));
    progress.answer.too_long = is_object;
    progress.cut = true;
    return 0;
  }
  if (body.empty()) body.reserve(std::min(announced, bytes_max));
  body.append(data, count);
  return count;
}

std::size_t on_header(char* data, std::size_t /*one*/, std::size_t count, void* user) {
  auto& progress = *static_cast<Progress*>(user);
  progress.header_bytes += count;
  if (progress.header_bytes > limits::kHttpHeaderBytesMax) return 0;
  const std::string_view line(data, count);
  Answer& answer = progress.answer;
  if (line.starts_with("HTTP/")) {  // of an interim answer before
    answer.sha256.clear();
    answer.region.clear();
    progress.chunked = false;
    progress.head_complete = false;
    return count;
  }
  if (trimmed(line).empty()) progress.head_complete = true;
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string name = lower(line.substr(0, colon));
  const std::string_view value = trimmed(line.substr(std::min(colon + 1, line.size())));
  if (name == kDigestHeader) answer.sha256 = value;
  if (name == "x-amz-bucket-region" && is_region(value)) answer.region = value;
  if (name == "transfer-encoding") progress.chunked = lower(value) == "chunked";
  return count;
}

std::size_t on_send(char* out, std::size_t /*one*/, std::size_t room, void* user) {
  auto& progress = *static_cast<Progress*>(user);
  const BytesView rest = progress.exchange->body.substr(progress.sent);
  const std::size_t count = std::min(room, rest.size());
  if (count > 0) std::memcpy(out, rest.data(), count);
  progress.sent += count;
  return count;
}

// A kept connection turned out to be dead: libcurl sends the body again on a new one.
int on_rewind(void* user, curl_off_t offset, int origin) {
  auto& progress = *static_cast<Progress*>(user);
  const bool inside = origin == SEEK_SET && offset >= 0 &&
                      static_cast<std::size_t>(offset) <= progress.exchange->body.size();
  if (!inside) return CURL_SEEKFUNC_FAIL;
  progress.sent = static_cast<std::size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

// libcurl 7.88 leaves its sockets open in programs that this process starts.
curl_socket_t on_socket(void* /*user*/, curlsocktype /*purpose*/, curl_sockaddr* address) {
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

Error error_of_curl(CURLcode code, const std::string& service, const char* detail) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return {ErrorCode::denied, "the certificate of " + service + " is not trusted: " + detail,
              "check the host's name in objects.endpoint, and which certificates are trusted"};
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
      return {ErrorCode::unavailable,
              "no connection to " + service + ": " + curl_easy_strerror(code),
              "see that the service runs there (objects.endpoint)"};
    case CURLE_OPERATION_TIMEDOUT:
      return {ErrorCode::unavailable, service + " did not answer in time", ""};
    default:
      return {ErrorCode::unavailable,
              "the exchange with " + service + " broke off: " + curl_easy_strerror(code), ""};
  }
}

class CurlTransfer final : public Transfer {
 public:
  CurlTransfer(Handle handle, TransferOptions options)
      : handle_(std::move(handle)), options_(std::move(options)) {}

  Result<Answer> run(const Exchange& exchange) override {
    curl_easy_reset(handle_.get());  // keeps the connection
    List headers;
    ST_CHECK_OK(add(headers, "Expect:"));  // waiting for leave to send costs a round trip
    for (const std::string& header : exchange.headers) ST_CHECK_OK(add(headers, header));
    Progress progress;
    progress.handle = handle_.get();
    progress.exchange = &exchange;
    std::array<char, CURL_ERROR_SIZE> detail{};
    set(CURLOPT_ERRORBUFFER, detail.data());
    set(CURLOPT_HTTPHEADER, headers.get());
    set_connection(exchange);
    set_method(exchange);
    set_callbacks(progress);
    const CURLcode code = curl_easy_perform(handle_.get());
    set(CURLOPT_ERRORBUFFER, nullptr);
    progress.answer.status = status_of(handle_.get());
    progress.answer.has_length = progress.chunked || length_of(handle_.get()).has_value();
    if (code == CURLE_OK && !progress.head_complete) {  // for libcurl a status line is an answer
      return error_of_curl(CURLE_PARTIAL_FILE, options_.service, "");
    }
    if (code == CURLE_OK || progress.cut) return std::move(progress.answer);
    return error_of_curl(code, options_.service, detail.data());
  }

 private:
  template <typename Value>
  void set(CURLoption option, Value value) {
    // Fails for unknown options and for want of memory only.
    ST_ASSERT(curl_easy_setopt(handle_.get(), option, value) == CURLE_OK);
  }

  static Status add(List& list, const std::string& header) {
    curl_slist* longer = curl_slist_append(list.get(), header.c_str());
    if (longer == nullptr) return Error{ErrorCode::overloaded, "no memory for a request", ""};
    static_cast<void>(list.release());  // it is part of the longer one
    list.reset(longer);
    return {};
  }

  void set_connection(const Exchange& exchange) {
    set(CURLOPT_URL, exchange.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_PATH_AS_IS, 1L);      // what is signed is what is sent
    set(CURLOPT_FOLLOWLOCATION, 0L);  // the signature would go to another host
    set(CURLOPT_PROXY, "");           // else http_proxy of the environment decides
    set(CURLOPT_NOSIGNAL, 1L);        // libcurl would use SIGALRM, in a process with threads
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(exchange.timeout.count));
    set(CURLOPT_CONNECTTIMEOUT_MS,
        static_cast<long>(std::min(options_.connect_timeout, exchange.timeout).count));
    set(CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(limits::kS3StallBytesPerSecond));
    set(CURLOPT_LOW_SPEED_TIME,
        static_cast<long>(std::max<std::int64_t>(options_.stall_timeout.count / 1000, 1)));
    set(CURLOPT_OPENSOCKETFUNCTION, &on_socket);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    if (!options_.ca_file.empty()) {
      set(CURLOPT_CAINFO, options_.ca_file.c_str());
      // Debian's directory would be trusted besides the file.
      set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    }
  }

  void set_method(const Exchange& exchange) {
    if (exchange.method == Exchange::Method::remove) set(CURLOPT_CUSTOMREQUEST, "DELETE");
    if (exchange.method != Exchange::Method::put) return;
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(exchange.body.size()));
  }

  void set_callbacks(Progress& progress) {
    set(CURLOPT_WRITEFUNCTION, &on_body);
    set(CURLOPT_WRITEDATA, &progress);
    set(CURLOPT_HEADERFUNCTION, &on_header);
    set(CURLOPT_HEADERDATA, &progress);
    set(CURLOPT_READFUNCTION, &on_send);
    set(CURLOPT_READDATA, &progress);
    set(CURLOPT_SEEKFUNCTION, &on_rewind);
    set(CURLOPT_SEEKDATA, &progress);
  }

  const Handle handle_;
  const TransferOptions options_;
};

}  // namespace

Result<std::unique_ptr<Transfer>> make_transfer(TransferOptions options) {
  // Once in a process and never undone; the local's initialisation is the lock it asks for.
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  Handle handle(started == CURLE_OK ? curl_easy_init() : nullptr);
  if (handle == nullptr) return Error{ErrorCode::internal, "libcurl cannot be started", ""};
  return std::unique_ptr<Transfer>(
      std::make_unique<CurlTransfer>(std::move(handle), std::move(options)));
}

}  // namespace sandtrail::s3
