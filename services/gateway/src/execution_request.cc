// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "base/limits.h"
#include "executions.h"
#include "requests.h"

namespace sandtrail::gateway {
namespace {

using reflect::ReadContext;

std::string at_most(std::size_t count, std::string_view unit) {
  return "must be at most " + std::to_string(count) + " " + std::string(unit);
}

bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

void check_texts(const std::vector<std::string>& texts, const std::string& at, ReadContext& out) {
  if (texts.size() > limits::kArgumentsMax) out.add(at, at_most(limits::kArgumentsMax, "items"));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (has_nul(texts[i])) out.add(at + "/" + std::to_string(i), "must not hold a NUL");
  }
}

const LanguageInfo* find_language(const Context& context, std::string_view name) {
  for (const LanguageInfo& language : context.options.languages) {
    if (language.name == name) return &language;
  }
  return nullptr;
}

void check_program(const Context& context, const ExecutionRequest& in, ReadContext& out) {
  if (!in.command.empty()) {
    if (in.code) out.add("/code", "cannot stand beside a command");
    if (in.language) out.add("/language", "cannot stand beside a command");
    if (in.command.front().empty()) out.add("/command/0", "must name a program");
    check_texts(in.command, "/command", out);
  } else if (!in.code && !in.language) {
    out.add("", "must have a language and code, or a command");
  } else {
    if (!in.code) out.add("/code", "is required");
    if (!in.language) out.add("/language", "is required");
  }
  if (in.code && in.code->size() > limits::kCodeBytesMax) {
    out.add("/code", at_most(limits::kCodeBytesMax, "bytes"));
  }
  if (in.language && find_language(context, *in.language) == nullptr) {
    std::string names;
    for (const LanguageInfo& language : context.options.languages) names += " " + language.name;
    out.add("/language", "is not one of those here:" + names);
  }
  check_texts(in.args, "/args", out);
  std::size_t total = 0;
  for (const std::string& text : in.command) total += text.size();
  for (const std::string& text : in.args) total += text.size();
  if (total > limits::kArgumentsBytesMax) {
    out.add(in.args.empty() ? "/command" : "/args",
            at_most(limits::kArgumentsBytesMax, "bytes together"));
  }
}

bool path_is_fine(std::string_view path) {
  if (path.empty() || path.size() > limits::kPathBytesMax || has_nul(path)) return false;
  while (true) {
    const std::size_t end = path.find('/');
    const std::string_view part = path.substr(0, end);
    if (part.empty() || part == "." || part == "..") return false;
    if (end == std::string_view::npos) return true;
    path.remove_prefix(end + 1);
  }
}

// What a path cannot be beside the others: a file below another file.
void check_places(const ExecutionRequest& in, std::set<std::string_view> taken, ReadContext& out) {
  for (const FileRequest& file : in.files) taken.insert(file.path);
  for (std::size_t i = 0; i < in.files.size(); ++i) {
    const std::string_view path = in.files[i].path;
    for (std::size_t at = path.find('/'); at != path.npos; at = path.find('/', at + 1)) {
      if (!taken.contains(path.substr(0, at))) continue;
      out.add("/files/" + std::to_string(i) + "/path", "lies below what is a file itself");
      break;
    }
  }
}

void check_files(const Context& context, const ExecutionRequest& in, ReadContext& out) {
  if (in.files.size() > limits::kFilesMax) out.add("/files", at_most(limits::kFilesMax, "files"));
  std::set<std::string_view> paths;
  std::set<std::string_view> code;
  const LanguageInfo* language = in.language ? find_language(context, *in.language) : nullptr;
  if (language != nullptr && !language->file.empty()) code.insert(language->file);
  std::size_t total = 0;
  for (std::size_t i = 0; i < in.files.size(); ++i) {
    const FileRequest& file = in.files[i];
    const std::string at = "/files/" + std::to_string(i);
    if (!path_is_fine(file.path)) {
      out.add(at + "/path", "must be relative, without empty parts, . or .., of at most " +
                                std::to_string(limits::kPathBytesMax) + " bytes");
    } else if (!paths.insert(file.path).second) {
      out.add(at + "/path", "stands in an earlier file");
    } else if (code.contains(file.path)) {
      out.add(at + "/path", "is the name of the file that holds the code");
    }
    if (file.content.has_value() == file.content_base64.has_value()) {
      out.add(at, "must have either content or content_base64");
    }
    total += file.content ? file.content->size() : 0;
    total += file.content_base64 ? file.content_base64->bytes.size() : 0;
  }
  if (total > limits::kFilesBytesMax) {
    out.add("/files", at_most(limits::kFilesBytesMax, "bytes together"));
  }
  check_places(in, std::move(code), out);
}

void check_stdin(const ExecutionRequest& in, ReadContext& out) {
  if (in.stdin_text && in.stdin_base64) {
    out.add("/stdin_base64", "cannot stand beside stdin");
  }
  if (in.stdin_text && in.stdin_text->size() > limits::kStdinBytesMax) {
    out.add("/stdin", at_most(limits::kStdinBytesMax, "bytes"));
  }
  if (in.stdin_base64 && in.stdin_base64->bytes.size() > limits::kStdinBytesMax) {
    out.add("/stdin_base64", at_most(limits::kStdinBytesMax, "bytes"));
  }
}

void check_environment(const ExecutionRequest& in, ReadContext& out) {
  if (in.env.size() > limits::kEnvironmentMax) {
    out.add("/env", at_most(limits::kEnvironmentMax, "variables"));
  }
  std::size_t total = 0;
  for (const auto& [name, value] : in.env) {
    total += name.size() + value.size();
    const bool fine = !name.empty() && !(name.front() >= '0' && name.front() <= '9') &&
                      std::all_of(name.begin(), name.end(), [](char c) {
                        return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                               (c >= 'a' && c <= 'z');
                      });
    if (!fine) out.add(json::pointer_to("/env", name), "is not a name of letters, digits and _");
    if (has_nul(value)) out.add(json::pointer_to("/env", name), "must not hold a NUL");
  }
  if (total > limits::kEnvironmentBytesMax) {
    out.add("/env", at_most(limits::kEnvironmentBytesMax, "bytes together"));
  }
}

void check_labels(const ExecutionRequest& in, ReadContext& out) {
  if (in.metadata.size() > limits::kMetadataMax) {
    out.add("/metadata", at_most(limits::kMetadataMax, "members"));
  }
  for (const auto& [name, value] : in.metadata) {
    const std::string at = json::pointer_to("/metadata", name);
    if (name.empty() || name.size() > limits::kMetadataKeyBytesMax) {
      out.add(at, "must have a name of 1 to " + std::to_string(limits::kMetadataKeyBytesMax) +
                      " bytes");
    }
    if (value.size() > limits::kMetadataValueBytesMax) {
      out.add(at, at_most(limits::kMetadataValueBytesMax, "bytes"));
    }
  }
  if (in.thread && (in.thread->empty() || in.thread->size() > limits::kThreadBytesMax)) {
    out.add("/thread", "must be 1 to " + std::to_string(limits::kThreadBytesMax) + " bytes");
  }
}

void check_rest(const Context& context, const ExecutionRequest& in, ReadContext& out) {
  for (auto& problem : check(in.limits, "/limits")) {
    out.add(std::move(problem.pointer), std::move(problem.detail));
  }
  if (in.network != "none") {
    out.add("/network", "must be none: network access is not available yet");
  }
  if (in.callback_url) check_url(context.options.addresses, *in.callback_url, "/callback_url", out);
  if (in.max_attempts < 1 || in.max_attempts > limits::kAttemptsMax) {
    out.add("/max_attempts", "must be from 1 to " + std::to_string(limits::kAttemptsMax));
  }
}

ExecutionInput input_of(ExecutionRequest& in) {
  ExecutionInput input;
  if (in.code) input.code = std::move(*in.code);
  input.command = std::move(in.command);
  input.args = std::move(in.args);
  if (in.stdin_text) input.stdin_bytes.bytes = std::move(*in.stdin_text);
  if (in.stdin_base64) input.stdin_bytes = std::move(*in.stdin_base64);
  for (FileRequest& file : in.files) {
    input.files.push_back(
        {std::move(file.path),
         file.content ? Blob{std::move(*file.content)} : std::move(*file.content_base64),
         file.executable});
  }
  input.env = std::move(in.env);
  if (in.callback_url) input.callback_url = std::move(*in.callback_url);
  if (in.thread) input.thread = std::move(*in.thread);
  input.metadata = std::move(in.metadata);
  return input;
}

}  // namespace

std::optional<Problem> prepare_execution(Context& context, Call& call) {
  ReadContext out;
  ExecutionRequest in;
  std::optional<Millis> retention = context.options.retention_default;
  if (const auto given = take_member(call.body, "retention")) {
    retention = read_retention(*given, out);
  }
  // A language brings its own limits; the request's stand over them.
  if (const auto* object = call.body.if_object()) {
    const auto* language = find_language(context, json::text_at(*object, "language"));
    if (language != nullptr) in.limits = language->defaults;
  }
  read_body_as(call.body, in, out);
  if (out.problems.empty()) {
    check_program(context, in, out);
    check_files(context, in, out);
    check_stdin(in, out);
    check_environment(in, out);
    check_labels(in, out);
    check_rest(context, in, out);
  }
  if (!out.problems.empty()) return invalid_request(std::move(out.problems));
  call.body = nullptr;

  PreparedExecution prepared;
  prepared.event.language = in.language.value_or("");
  prepared.event.limits = in.limits;
  prepared.event.network = in.network;
  prepared.event.attempts_max = in.max_attempts;
  prepared.event.retention = retention;
  prepared.event.callback = in.callback_url.has_value();
  prepared.input = input_of(in);
  call.prepared = std::move(prepared);
  return std::nullopt;
}

}  // namespace sandtrail::gateway
