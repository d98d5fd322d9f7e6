// SPDX-License-Identifier: Apache-2.0
#include "location.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/limits.h"
#include "signature.h"
#include "text.h"

namespace sandtrail::s3 {
namespace {

constexpr std::string_view kUrlHint = "write s3://bucket or s3://bucket/prefix (objects.url)";
constexpr std::string_view kEndpointHint =
    "write https://host or https://host:port (objects.endpoint)";

Error invalid(std::string message, std::string_view hint) {
  return {ErrorCode::invalid_argument, std::move(message), std::string(hint)};
}

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_ipv4(const std::string& host) {
  in_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_ipv6(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

// Labels of a-z, 0-9 and "-" with one dot between two, beginning and ending as S3 and DNS want it.
bool is_dotted_name(std::string_view name) {
  char before = '.';
  for (const char c : name) {
    const bool starts = before == '.';
    if (starts ? !is_lower_or_digit(c) : !(is_lower_or_digit(c) || c == '-' || c == '.')) {
      return false;
    }
    if (c == '.' && before == '-') return false;
    before = c;
  }
  return is_lower_or_digit(before);
}

Status check_bucket(const std::string& bucket) {
  if (bucket.size() >= 3 && bucket.size() <= 63 && is_dotted_name(bucket) && !is_ipv4(bucket)) {
    return {};
  }
  return invalid("a bucket's name is 3 to 63 of a-z, 0-9, '-' and '.'", kUrlHint);
}

bool is_prefix(std::string_view prefix) {
  if (prefix.empty()) return true;
  if (prefix.size() > limits::kS3PrefixBytesMax || !is_utf8(prefix)) return false;
  for (const char c : prefix) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f ||
        std::string_view("%?#\\").find(c) != std::string_view::npos) {
      return false;
    }
  }
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = std::min(prefix.find('/', begin), prefix.size());
    const std::string_view part = prefix.substr(begin, end - begin);
    // Clients and proxies would make another path of these.
    if (part.empty() || part == "." || part == "..") return false;
    if (end == prefix.size()) return true;
    begin = end + 1;
  }
}

Result<http::Url> amazon(const std::string& region) {
  if (region.empty()) {
    return invalid("the region of the bucket is not given", "set objects.region");
  }
  return parse_endpoint("https://s3." + region + ".amazonaws.com" +
                        (region.starts_with("cn-") ? ".cn" : ""));
}

bool use_virtual_host(const S3ObjectStoreOptions& options) {
  if (options.addressing != S3Addressing::automatic) {
    return options.addressing == S3Addressing::virtual_host;
  }
  // Amazon's certificate is for one label before its own name.
  return options.endpoint.empty() && options.location.bucket.find('.') == std::string::npos;
}

}  // namespace

Result<http::Url> parse_endpoint(std::string_view text) {
  auto url = http::parse_url(text);
  if (url.ok() && url->target == "/") return url;
  return invalid("not the address of an S3 service", kEndpointHint);
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host.ends_with(".localhost") || host == "::1" ||
         (is_ipv4(host) && host.starts_with("127."));
}

Status check_location(const S3Location& location) {
  ST_CHECK_OK(check_bucket(location.bucket));
  if (is_prefix(location.prefix)) return {};
  return invalid("the prefix in the bucket is too long, or has parts it cannot have", kUrlHint);
}

Result<Target> target_of(const S3ObjectStoreOptions& options) {
  ST_CHECK_OK(check_location(options.location));
  if (!options.region.empty() && !is_region(options.region)) {
    return invalid("not the name of a region", "see objects.region");
  }
  ST_ASSIGN(http::Url endpoint,
            options.endpoint.empty() ? amazon(options.region) : parse_endpoint(options.endpoint));
  if (endpoint.scheme == "http" && !is_loopback(endpoint.host) && !options.allow_http) {
    return invalid("the S3 service would be asked without encryption",
                   "write https://host (objects.endpoint), or set objects.allow_http");
  }
  const auto& [bucket, prefix] = options.location;
  const bool virtual_host = use_virtual_host(options);
  if (virtual_host && (is_ipv4(endpoint.host) || is_ipv6(endpoint.host))) {
    return invalid("a bucket's name cannot stand before an address", kEndpointHint);
  }
  if (virtual_host) endpoint.host = bucket + "." + endpoint.host;
  Target target;
  target.authority = endpoint.authority();
  target.origin = endpoint.scheme + "://" + target.authority;
  target.base_path = percent_encode_path((virtual_host ? "/" : "/" + bucket + "/") +
                                         (prefix.empty() ? "" : prefix + "/"));
  target.region = options.region.empty() ? "us-east-1" : options.region;
  return target;
}

}  // namespace sandtrail::s3

namespace sandtrail {

Result<S3Location> parse_s3_url(std::string_view url) {
  static constexpr std::string_view kScheme = "s3://";
  if (!url.starts_with(kScheme)) {
    return Error{ErrorCode::invalid_argument, "not the URL of an S3 bucket",
                 std::string(s3::kUrlHint)};
  }
  url.remove_prefix(kScheme.size());
  const std::size_t slash = std::min(url.find('/'), url.size());
  S3Location location{std::string(url.substr(0, slash)), ""};
  if (slash < url.size()) location.prefix = url.substr(slash + 1);
  if (location.prefix.ends_with('/')) location.prefix.pop_back();
  ST_CHECK_OK(s3::check_location(location));
  return location;
}

}  // namespace sandtrail
