// SPDX-License-Identifier: Apache-2.0
#include "store_s3/object_store.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <utility>

#include "base/file.h"
#include "base/limits.h"
#include "client.h"
#include "credentials.h"
#include "crypto/digest.h"

namespace sandtrail {
namespace {

using s3::Answer;
using s3::Deadline;
using s3::Request;
using Method = s3::Exchange::Method;

// No object can have this name.
constexpr const char* kProbeName = "sandtrail-if-none-match";
constexpr BytesView kProbeContent = "Sandtrail tries here whether If-None-Match is kept.\n";

bool is_taken(const Answer& answer) {
  return answer.status == 412 || answer.status == 304;  // 304: MinIO before 2024-04
}

class S3ObjectStore final : public ObjectStore {
 public:
  S3ObjectStore(s3::Target target, S3ObjectStoreOptions options, const Clock& clock, Random& random)
      : client_(std::move(target), std::move(options.credentials),
                {"", std::move(options.ca_file), options.connect_timeout, options.stall_timeout},
                clock, random),
        call_timeout_(options.call_timeout),
        clock_(clock),
        on_notice_(std::move(options.on_notice)) {}

  Status put(const std::string& name, BytesView content) override {
    ST_CHECK_OK(check_object_name(name));
    ST_CHECK_OK(check_object_content(content));
    const Deadline deadline(clock_, call_timeout_);
    ST_ASSIGN(const bool conditional, keeps_conditions(deadline));
    if (!conditional) return put_after_looking(name, content, deadline);
    ST_ASSIGN(const bool created, create(name, content, true, deadline));
    if (created) return {};
    // Also after a try of ours whose answer was lost.
    ST_ASSIGN(const bool same, matches(name, content, deadline));
    if (same) return {};
    return Error{ErrorCode::unavailable, "object " + name + " is being removed", ""};
  }

  Result<Bytes> get(const std::string& name) const override {
    ST_CHECK_OK(check_object_name(name));
    return read(name, Deadline(clock_, call_timeout_));
  }

  Status remove(const std::string& name) override {
    ST_CHECK_OK(check_object_name(name));
    const Request request{Method::remove, name, {}, false, "cannot remove object " + name};
    const auto gone = [](const Answer& answer) {
      return answer.status == 204 || answer.status == 200 || is_missing_object(answer);
    };
    const auto answer = send(request, Deadline(clock_, call_timeout_), gone);
    if (!answer.ok()) return answer.error();
    return {};
  }

 private:
  Result<Answer> send(const Request& request, const Deadline& deadline,
                      const std::function<bool(const Answer&)>& accepted) const {
    auto answer = client_.send(request, deadline, accepted);
    // Once, not for every call: who waits repeats them.
    if (failing_.exchange(!answer.ok()) != !answer.ok() && on_notice_) {
      on_notice_(answer.ok() ? "the S3 service answers again" : answer.error().text());
    }
    return answer;
  }

  Result<Bytes> read(const std::string& name, const Deadline& deadline) const {
    const Request request{Method::get, name, {}, false, "cannot read object " + name};
    const auto known = [](const Answer& answer) {
      return answer.status == 200 || is_missing_object(answer);
    };
    ST_ASSIGN(Answer answer, send(request, deadline, known));
    if (answer.status != 200) return Error{ErrorCode::not_found, "no object " + name, ""};
    if (answer.too_long) {
      return Error{ErrorCode::corrupt, "object " + name + " is longer than any can be", ""};
    }
    if (!answer.has_length) {
      return Error{ErrorCode::unavailable,
                   request.action + ": the S3 service did not say how long it is", ""};
    }
    if (!answer.sha256.empty() && answer.sha256 != hex(sha256(answer.body))) {
      return Error{ErrorCode::corrupt, "object " + name + " is not what was stored", ""};
    }
    return std::move(answer.body);
  }

  // True if the object is there with this content, false if it is not there.
  Result<bool> matches(const std::string& name, BytesView content, const Deadline& deadline) const {
    const auto existing = read(name, deadline);
    if (!existing.ok() && existing.error().code == ErrorCode::not_found) return false;
    if (!existing.ok()) return existing.error();
    if (*existing == content) return true;
    return Error{ErrorCode::conflict, "object " + name + " exists with other content", ""};
  }

  // False if the name is taken.
  Result<bool> create(const std::string& name, BytesView content, bool if_absent,
                      const Deadline& deadline) const {
    const Request request{Method::put, name, content, if_absent, "cannot store object " + name};
    const auto known = [if_absent](const Answer& answer) {
      return answer.status == 200 || (if_absent && is_taken(answer));
    };
    ST_ASSIGN(const Answer answer, send(request, deadline, known));
    return answer.status == 200;
  }

  Status put_after_looking(const std::string& name, BytesView content, const Deadline& deadline) {
    // Of the writers in this process, at least, one wins and all know.
    const std::lock_guard lock(writers_[std::hash<std::string>()(name) % writers_.size()]);
    ST_ASSIGN(const bool same, matches(name, content, deadline));
    if (same) return {};
    const auto created = create(name, content, false, deadline);
    if (!created.ok()) return created.error();
    return {};
  }

  // Many services took If-None-Match for a put and did nothing with it, and still do. So the first
  // put tries it on an object of its own, which must be there the second time.
  Result<bool> keeps_conditions(const Deadline& deadline) {
    const Conditions found = conditions_.load();
    if (found != Conditions::untried) return found == Conditions::kept;
    const Request request{Method::put, kProbeName, kProbeContent, true,
                          "cannot try conditional writes"};
    const auto known = [](const Answer& answer) {
      return answer.status == 200 || answer.status == 501 || is_taken(answer);
    };
    bool taken = false;
    for (int i = 0; i < 2 && !taken; ++i) {
      ST_ASSIGN(const Answer answer, send(request, deadline, known));
      if (answer.status == 501) break;
      taken = is_taken(answer);
    }
    const Conditions now = taken ? Conditions::kept : Conditions::ignored;
    if (conditions_.exchange(now) == Conditions::untried && !taken && on_notice_) {
      on_notice_(
          "the S3 service does not keep If-None-Match: of two processes that store different "
          "objects under one name at the same moment, one would overwrite the other unnoticed");
    }
    return taken;
  }

  enum class Conditions { untried, kept, ignored };

  const s3::Client client_;
  const Millis call_timeout_;
  const Clock& clock_;
  const std::function<void(const std::string&)> on_notice_;
  std::atomic<Conditions> conditions_{Conditions::untried};
  mutable std::atomic<bool> failing_{false};
  std::array<std::mutex, 64> writers_;  // of names, while conditions are ignored
};

Status check_options(const S3ObjectStoreOptions& options, const s3::Target& target) {
  ST_CHECK_OK(s3::check_credentials(options.credentials));
  const Millis least =
      std::min({options.connect_timeout, options.stall_timeout, options.call_timeout});
  if (least <= Millis{0} || options.call_timeout > days(1)) {
    return Error{ErrorCode::invalid_argument, "a time-out of the S3 store makes no sense", ""};
  }
  if (options.ca_file.empty()) return {};
  if (!target.origin.starts_with("https:")) {
    return Error{ErrorCode::invalid_argument, "certificates are for https only",
                 "see objects.endpoint"};
  }
  const auto certificates = read_file(options.ca_file, limits::kConfigBytesMax);
  if (!certificates.ok()) return certificates.error();
  return {};
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_s3_object_store(S3ObjectStoreOptions options,
                                                          const Clock& clock, Random& random) {
  ST_ASSIGN(s3::Target target, s3::target_of(options));
  ST_CHECK_OK(check_options(options, target));
  return std::unique_ptr<ObjectStore>(
      std::make_unique<S3ObjectStore>(std::move(target), std::move(options), clock, random));
}

}  // namespace sandtrail
