// SPDX-License-Identifier: Apache-2.0
#include "answer.h"

#include <algorithm>

namespace sandtrail::s3 {
namespace {

struct Meaning {
  std::string_view code;
  ErrorCode error;
  std::string_view hint;
};

constexpr std::string_view kPermissions =
    "allow s3:GetObject, s3:PutObject and s3:DeleteObject on the objects, and s3:ListBucket on the "
    "bucket: without it a missing object is reported as forbidden";
constexpr std::string_view kKeyId =
    "check the access key id, and that objects.endpoint is its service";
constexpr std::string_view kSecret = "check the secret access key, and objects.region";
constexpr std::string_view kClock = "set the clock of this machine; the service has another time";
constexpr std::string_view kToken = "get new credentials, then restart the process";
constexpr std::string_view kRegion = "check objects.region and objects.endpoint";
constexpr std::string_view kBucket = "create the bucket, or correct objects.url";
constexpr std::string_view kSpace = "free space in the bucket, or raise its quota";
constexpr std::string_view kLater = "";

// "Error Responses" in the Amazon S3 API reference; Ceph's and MinIO's own codes.
constexpr Meaning kMeanings[] = {
    {"AccessDenied", ErrorCode::denied, kPermissions},
    {"AllAccessDisabled", ErrorCode::denied, kPermissions},
    {"InvalidAccessKeyId", ErrorCode::denied, kKeyId},
    {"SignatureDoesNotMatch", ErrorCode::denied, kSecret},
    {"AuthorizationHeaderMalformed", ErrorCode::denied, kRegion},
    {"RequestTimeTooSkewed", ErrorCode::denied, kClock},
    {"ExpiredToken", ErrorCode::denied, kToken},
    {"InvalidToken", ErrorCode::denied, kToken},
    {"TokenRefreshRequired", ErrorCode::denied, kToken},
    {"PermanentRedirect", ErrorCode::invalid_argument, kRegion},
    {"IllegalLocationConstraintException", ErrorCode::invalid_argument, kRegion},
    {"InvalidBucketName", ErrorCode::invalid_argument, kBucket},
    {"NoSuchBucket", ErrorCode::unavailable, kBucket},
    {"QuotaExceeded", ErrorCode::disk_full, kSpace},
    {"InsufficientCapacity", ErrorCode::disk_full, kSpace},
    {"XMinioStorageFull", ErrorCode::disk_full, kSpace},
    {"XMinioAdminBucketQuotaExceeded", ErrorCode::disk_full, kSpace},
    {"RequestTimeout", ErrorCode::unavailable, kLater},
    {"OperationAborted", ErrorCode::unavailable, kLater},
    {"ConditionalRequestConflict", ErrorCode::unavailable, kLater},
    {"TemporaryRedirect", ErrorCode::unavailable, kLater},
    // Damaged on its way: signed was what we meant to send.
    {"BadDigest", ErrorCode::unavailable, kLater},
    {"XAmzContentSHA256Mismatch", ErrorCode::unavailable, kLater},
};

Meaning meaning_of_status(int status) {
  if (status == 401 || status == 403) return {"", ErrorCode::denied, kPermissions};
  if (status >= 300 && status < 400) return {"", ErrorCode::invalid_argument, kRegion};
  if (status == 507) return {"", ErrorCode::disk_full, kSpace};
  if (status == 404) return {"", ErrorCode::unavailable, kRegion};
  if (status == 408 || status == 429 || (status >= 500 && status != 501)) {
    return {"", ErrorCode::unavailable, kLater};
  }
  return {"", ErrorCode::internal, "see that objects.endpoint is an S3 service"};
}

Meaning meaning_of(int status, std::string_view code) {
  for (const Meaning& meaning : kMeanings) {
    if (meaning.code == code) return meaning;
  }
  return meaning_of_status(status);
}

bool is_code_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
}

}  // namespace

std::string_view error_code_in(std::string_view document) {
  static constexpr std::string_view kBegin = "<Code>";
  const std::size_t begin = document.find(kBegin);
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = document.substr(begin + kBegin.size());
  const std::size_t end = rest.find("</Code>");
  if (end == std::string_view::npos || end > 64) return {};
  const std::string_view code = rest.substr(0, end);
  return std::all_of(code.begin(), code.end(), is_code_char) ? code : std::string_view();
}

bool is_missing_object(const Answer& answer) {
  return answer.status == 404 && error_code_in(answer.body) == "NoSuchKey";
}

Error error_of(const Answer& answer, const std::string& action) {
  const std::string_view code = error_code_in(answer.body);
  const Meaning meaning = meaning_of(answer.status, code);
  std::string message = action + ": the S3 service answered " + std::to_string(answer.status);
  if (!code.empty()) message += " " + std::string(code);
  std::string hint(meaning.hint);
  if (meaning.hint == kRegion && !answer.region.empty()) {
    hint += "; the bucket is in region " + answer.region;
  }
  return Error{meaning.error, std::move(message), std::move(hint)};
}

}  // namespace sandtrail::s3
