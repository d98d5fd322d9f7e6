// SPDX-License-Identifier: Apache-2.0
// Bodies of requests. Read strictly: every unknown or wrong member is named by its JSON pointer.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "auth.h"
#include "codec/reflect.h"
#include "domain/events_control.h"
#include "domain/events_system.h"
#include "domain/execution.h"
#include "http/client.h"

namespace sandtrail::gateway {

struct FileRequest {
  std::string path;
  std::optional<std::string> content;
  std::optional<Blob> content_base64;
  bool executable = false;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("path", s.path);
    v("content", s.content);
    v("content_base64", s.content_base64);
    v("executable", s.executable);
  }
};

// `retention`, which is text or an object, stands apart: read_retention().
struct ExecutionRequest {
  std::optional<std::string> language;
  std::optional<std::string> code;
  std::vector<std::string> command;
  std::vector<std::string> args;
  std::optional<std::string> stdin_text;
  std::optional<Blob> stdin_base64;
  std::vector<FileRequest> files;
  std::map<std::string, std::string> env;
  ExecutionLimits limits;
  std::string network = "none";
  std::optional<std::string> callback_url;
  std::map<std::string, std::string> metadata;
  std::optional<std::string> thread;
  std::int64_t max_attempts = 1;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("language", s.language);
    v("code", s.code);
    v("command", s.command);
    v("args", s.args);
    v("stdin", s.stdin_text);
    v("stdin_base64", s.stdin_base64);
    v("files", s.files);
    v("env", s.env);
    v.with_default("limits", s.limits);
    v.with_default("network", s.network);
    v("callback_url", s.callback_url);
    v("metadata", s.metadata);
    v("thread", s.thread);
    v.with_default("max_attempts", s.max_attempts);
  }
};

struct EndpointRequest {
  std::string url;
  std::vector<std::string> events;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("url", s.url);
    v("events", s.events);
  }
};

struct ApiKeyRequest {
  std::string name;
  KeyRole role = KeyRole::member;
  std::optional<UnixMs> expires;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("name", s.name);
    v.with_default("role", s.role);
    v("expires_at", s.expires);
  }
};

struct LimitsRequest {
  std::optional<std::int64_t> queued_max;
  std::optional<std::int64_t> running_max;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("queued_max", s.queued_max);
    v("running_max", s.running_max);
  }
};

// `grant_credits` stands apart: read_credits().
struct OrganizationRequest {
  std::string name;
  LimitsRequest limits;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("name", s.name);
    v.with_default("limits", s.limits);
  }
};

// `amount_credits` stands apart: read_credits().
struct GrantRequest {
  std::string reason;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("reason", s.reason);
  }
};

struct ResolveRequest {
  std::string topic;
  std::int64_t partition = 0;
  DeciderRole role = DeciderRole::launcher;
  std::string effect;
  EffectAction action = EffectAction::retry;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("topic", s.topic);
    v("partition", s.partition);
    v("role", s.role);
    v("effect", s.effect);
    v("action", s.action);
  }
};

struct TrimRequest {
  std::string topic;
  std::int64_t partition = 0;
  std::int64_t before = 0;    // a position: what stands below is dropped
  bool dry_run = false;       // only says what would be
  bool without_base = false;  // though nothing can be folded from the beginning then
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("topic", s.topic);
    v("partition", s.partition);
    v("before", s.before);
    v("dry_run", s.dry_run);
    v("without_base", s.without_base);
  }
};

// What was written to the object store (runtime/bases.h), to be told in the log.
struct BaseRequest {
  std::string manifest;  // SHA-256, hex
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("manifest", s.manifest);
  }
};

// Takes `name` out of the body: nullopt if it has none.
std::optional<json::value> take_member(json::value& body, std::string_view name);

// The rest of the body, strictly, over what `out` holds. Problems are added to `context`.
template <typename T>
void read_body_as(const json::value& body, T& out, reflect::ReadContext& context) {
  reflect::read(json::Tree(body), "", out, context);
}

// "1h", "24h", "7d", "30d", "indefinite" (nullopt) or {"seconds": n}.
std::optional<Millis> read_retention(const json::value& in, reflect::ReadContext& context);

// Credits as a decimal text of up to six fraction digits, or an integer.
MicroCredits read_credits(const json::value& in, const std::string& at,
                          reflect::ReadContext& context);
std::string credits_text(MicroCredits amount);

// An absolute http(s) URL that names no forbidden address.
void check_url(const http::AddressPolicy& policy, const std::string& url, const std::string& at,
               reflect::ReadContext& context);

// 1 to limits::kNameBytesMax bytes without control characters.
void check_name(const std::string& name, const std::string& at, reflect::ReadContext& context);

// Not negative.
void check_limits(const LimitsRequest& limits, const std::string& at,
                  reflect::ReadContext& context);
// `base` with what the request names.
OrgLimits with_limits(OrgLimits base, const LimitsRequest& limits);

}  // namespace sandtrail::gateway
