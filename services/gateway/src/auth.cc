// SPDX-License-Identifier: Apache-2.0
#include "auth.h"

#include "base/limits.h"
#include "crypto/digest.h"
#include "crypto/secret.h"
#include "routes.h"

namespace sandtrail::gateway {
namespace {

constexpr std::string_view kPrefix = "st_";
constexpr std::size_t kIdChars = 26;
constexpr std::size_t kSecretBytes = 20;
constexpr std::size_t kSecretChars = 32;
constexpr std::size_t kHintChars = 4;
constexpr std::string_view kScheme = "Bearer";  // in any case, RFC 9110 section 11.1

struct Check {
  std::string_view problem;  // its code; empty: fine
  std::string_view reason;   // in the audit log
  const KeyRow* key = nullptr;
};

Check check(const Context& context, const KeyRow& key, KeyRole needed) {
  if (key.revoked) return {"key_revoked", "key_revoked", &key};
  if (key.expires && *key.expires <= context.clock.now()) {
    return {"key_expired", "key_expired", &key};
  }
  if (!role_allows(key.role, needed)) return {"missing_role", "missing_role", &key};
  return {"", "", &key};
}

Check check(const Context& context, const PartitionView& view, const Credentials& credentials,
            KeyRole needed) {
  const KeyRow* key = view.state().keys.find(credentials.key);
  if (key == nullptr || key->org != credentials.org) return {"key_unknown", "key_unknown", nullptr};
  if (!equal_constant_time(key->secret_sha256.bytes, credentials.sha256)) {
    return {"key_unknown", "wrong_secret", key};
  }
  return check(context, *key, needed);
}

void refuse(Context& context, const CallPtr& call, const Credentials* credentials,
            const Check& result) {
  OrgId org;
  if (result.key != nullptr) {
    org = credentials->org;
    call->actor.key = credentials->key;
    // Who knows the id but not the secret is not the key's owner.
    if (result.reason != "wrong_secret") {
      call->actor.kind = ActorKind::api_key;
      call->actor.name = result.key->name;
    }
  }
  context.denied.count(org, call->actor, call->route->action, result.reason, call->request_id);
  Problem problem{result.problem, "", {}, {}};
  if (result.problem == "missing_role") {
    problem.detail = "this needs the role " + std::string(enum_text(call->route->role));
  } else {
    problem.detail = result.reason == "no_key" ? "send it as Authorization: Bearer st_…"
                     : result.reason == "malformed_key"
                         ? "what stands in Authorization is no key: they start with st_"
                         : "an operator or an administrator of the organisation can make another";
    problem.fields = {{"WWW-Authenticate", credentials == nullptr
                                               ? "Bearer realm=\"sandtrail\""
                                               : "Bearer error=\"invalid_token\""}};
  }
  respond(*call, problem);
}

// True if the call may go on.
bool admit(Context& context, const CallPtr& call, const PartitionView& view,
           const Credentials& credentials) {
  const Check result = check(context, view, credentials, call->route->role);
  if (!result.problem.empty()) {
    refuse(context, call, &credentials, result);
    return false;
  }
  call->org = credentials.org;
  call->actor.kind = ActorKind::api_key;
  call->actor.key = credentials.key;
  call->actor.name = result.key->name;
  return true;
}

// A key made elsewhere may stand in the log behind what is folded here.
void check_at_tail(Context& context, const CallPtr& call, const Credentials& credentials,
                   std::function<void(const PartitionView&)> then) {
  context.executor([&context, call, credentials, then = std::move(then)] {
    const TopicPartition home = context.runtime.home(credentials.org);
    const auto marks = context.log.marks(home);
    if (!marks.ok()) return respond(*call, problem_of(marks.error()));
    query_at(context, call, home, marks->high,
             [&context, call, credentials, then](const PartitionView& view) {
               if (admit(context, call, view, credentials)) then(view);
             });
  });
}

}  // namespace

bool still_admitted(Context& context, const CallPtr& call, const PartitionView& view) {
  if (!call->actor.key) return true;
  const KeyRow* key = view.state().keys.find(*call->actor.key);
  ST_ASSERT(key != nullptr);
  const Check result = check(context, *key, call->route->role);
  if (result.problem.empty()) return true;
  const Credentials credentials{call->org, *call->actor.key, ""};
  refuse(context, call, &credentials, result);
  return false;
}

std::optional<Credentials> parse_api_key(std::string_view text) {
  const std::size_t size = kPrefix.size() + kIdChars + 1 + kIdChars + 1 + kSecretChars;
  if (text.size() != size || !text.starts_with(kPrefix)) return std::nullopt;
  const std::string_view rest = text.substr(kPrefix.size());
  if (rest[kIdChars] != '_' || rest[2 * kIdChars + 1] != '_') return std::nullopt;
  const auto org = OrgId::parse("org_" + std::string(rest.substr(0, kIdChars)));
  const auto key = KeyId::parse("key_" + std::string(rest.substr(kIdChars + 1, kIdChars)));
  if (!org || !key) return std::nullopt;
  return Credentials{*org, *key, sha256(text)};
}

NewKey make_api_key(Context& context, const OrgId& org, std::string name, KeyRole role,
                    std::optional<UnixMs> expires) {
  NewKey out;
  out.id = KeyId::fresh(context.clock, context.random);
  Bytes secret = context.random.bytes(kSecretBytes);
  out.text = std::string(kPrefix) + org.text().substr(OrgTag::prefix.size()) + "_" +
             out.id.text().substr(KeyTag::prefix.size()) + "_" + crockford(secret);
  wipe(secret);
  out.event.key = out.id;
  out.event.name = std::move(name);
  out.event.role = role;
  out.event.secret_sha256.bytes = sha256(out.text);
  out.event.hint = out.text.substr(out.text.size() - kHintChars);
  out.event.expires = expires;
  return out;
}

void authenticate(Context& context, const CallPtr& call,
                  std::function<void(const PartitionView&)> then) {
  call->actor.kind = ActorKind::unauthenticated;
  call->actor.auth_method = "bearer";
  const auto field = call->request.fields.get("Authorization");
  const bool bearer = field && field->size() > kScheme.size() &&
                      http::same_field_name(field->substr(0, kScheme.size()), kScheme) &&
                      (*field)[kScheme.size()] == ' ';
  const auto credentials = bearer ? parse_api_key(field->substr(kScheme.size() + 1)) : std::nullopt;
  if (!credentials) {
    return refuse(context, call, nullptr,
                  {"unauthenticated", field ? "malformed_key" : "no_key", nullptr});
  }
  query(context, call, context.runtime.home(credentials->org),
        [&context, call, credentials = *credentials,
         then = std::move(then)](const PartitionView& view) mutable {
          if (view.state().keys.find(credentials.key) == nullptr) {
            return check_at_tail(context, call, credentials, std::move(then));
          }
          if (admit(context, call, view, credentials)) then(view);
        });
}

}  // namespace sandtrail::gateway
