// SPDX-License-Identifier: Apache-2.0
#include "run_request.h"

#include <algorithm>
#include <array>

#include "base/file.h"
#include "base/limits.h"

namespace sandtrail::cli {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kSuffixes{
    {{".py", "python"},
     {".js", "node"},
     {".mjs", "node"},
     {".cjs", "node"},
     {".sh", "bash"},
     {".bash", "bash"},
     {".pl", "perl"},
     {".rb", "ruby"},
     {".c", "c"},
     {".cc", "cpp"},
     {".cpp", "cpp"},
     {".cxx", "cpp"}}};

constexpr const char* kCodeLanguage = "python";  // of -c, unless --language says otherwise

Error wrong(std::string message, std::string hint = "") {
  return {ErrorCode::invalid_argument, std::move(message), std::move(hint)};
}

json::value text(std::string_view content) {
  return json::value(content);
}

// `name`, or `name`_base64 if it is not text.
void put_bytes(json::object& out, const std::string& name, const Bytes& bytes) {
  if (is_utf8(bytes)) {
    out[name] = text(bytes);
  } else {
    out[name + "_base64"] = text(base64(bytes));
  }
}

// From "-" or a path.
Result<Bytes> read_from(Session& session, const std::string& path, std::size_t bytes_max) {
  auto bytes = path == "-" ? session.parts.read_input(bytes_max) : read_file(path, bytes_max);
  if (bytes.ok() || bytes.error().code != ErrorCode::overloaded) return bytes;
  return wrong((path == "-" ? "standard input" : path) + " is longer than " +
               std::to_string(bytes_max) + " bytes");
}

Status put_program(Session& session, const RunOptions& options, json::object& body) {
  const bool program = !options.file.empty() || !options.code.empty();
  std::vector<std::string> arguments = options.arguments;
  if (!options.file.empty() && !options.code.empty()) {
    arguments.insert(arguments.begin(), options.file);
  }
  if (!program) {
    if (session.after_dashes.empty()) {
      return wrong("nothing to run", "give a file, -c CODE, or -- and a command");
    }
    if (!options.language.empty()) return wrong("a command has no --language");
    json::array command;
    for (const std::string& word : session.after_dashes) command.push_back(text(word));
    body["command"] = std::move(command);
    return {};
  }
  Bytes code = options.code;
  std::string language = options.language;
  if (language.empty() && !code.empty()) language = kCodeLanguage;
  if (code.empty()) {
    ST_ASSIGN(code, read_from(session, options.file, limits::kCodeBytesMax));
    if (language.empty()) language = language_of(options.file);
  }
  if (language.empty()) return wrong("the language is not known", "give --language");
  if (!is_utf8(code)) return wrong("the code is not UTF-8 text");
  body["language"] = text(language);
  body["code"] = text(code);
  arguments.insert(arguments.end(), session.after_dashes.begin(), session.after_dashes.end());
  json::array list;
  for (const std::string& word : arguments) list.push_back(text(word));
  if (!list.empty()) body["args"] = std::move(list);
  return {};
}

// PATH, or NAME=PATH to give it another name.
Status put_files(const RunOptions& options, json::object& body) {
  json::array files;
  for (const std::string& given : options.files) {
    const auto equals = given.find('=');
    const std::string path = equals == std::string::npos ? given : given.substr(equals + 1);
    const auto slash = path.rfind('/');
    const std::string name = equals == std::string::npos
                                 ? (slash == std::string::npos ? path : path.substr(slash + 1))
                                 : given.substr(0, equals);
    ST_ASSIGN(const Bytes content, read_file(path, limits::kFilesBytesMax));
    json::object file;
    file["path"] = text(name);
    put_bytes(file, "content", content);
    files.push_back(std::move(file));
  }
  if (!files.empty()) body["files"] = std::move(files);
  return {};
}

// "NAME=VALUE"; without "=" the value is ours, where `inherit` allows it.
Status put_pairs(const Session& session, const std::vector<std::string>& given, bool inherit,
                 const std::string& name, json::object& body) {
  json::object pairs;
  for (const std::string& pair : given) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos && !inherit) return wrong("must be KEY=VALUE: " + pair);
    const std::string key = pair.substr(0, equals);
    pairs[key] =
        text(equals == std::string::npos ? session.variable(key) : pair.substr(equals + 1));
  }
  if (!pairs.empty()) body[name] = std::move(pairs);
  return {};
}

void put_limits(const RunOptions& options, json::object& body) {
  json::object out;
  const std::pair<const char*, const std::optional<std::int64_t>&> given[] = {
      {"wall_ms", options.wall_ms},       {"memory_mib", options.memory_mib},
      {"cpu_millis", options.cpu_millis}, {"processes", options.processes},
      {"disk_mib", options.disk_mib},     {"output_bytes", options.output_bytes}};
  for (const auto& [name, value] : given) {
    if (value) out[name] = *value;
  }
  if (!out.empty()) body["limits"] = std::move(out);
}

// "90s" goes as seconds, the names of the API as they are.
json::value retention(const std::string& given) {
  const std::string digits = given.substr(0, given.size() - 1);
  if (given.size() > 1 && given.size() < 10 && given.ends_with('s') &&
      digits.find_first_not_of("0123456789") == std::string::npos) {
    json::object out;
    out["seconds"] = std::stoll(digits);
    return out;
  }
  return text(given);
}

}  // namespace

std::string language_of(const std::string& path) {
  for (const auto& [suffix, language] : kSuffixes) {
    if (path.ends_with(suffix)) return std::string(language);
  }
  return "";
}

Result<json::value> run_body(Session& session, const RunOptions& options) {
  if (options.file == "-" && options.input == "-") {
    return wrong("standard input cannot be both the code and the program's input");
  }
  json::object body;
  ST_CHECK_OK(put_program(session, options, body));
  if (!options.input.empty()) {
    ST_ASSIGN(const Bytes input, read_from(session, options.input, limits::kStdinBytesMax));
    put_bytes(body, "stdin", input);
  }
  ST_CHECK_OK(put_files(options, body));
  ST_CHECK_OK(put_pairs(session, options.variables, true, "env", body));
  ST_CHECK_OK(put_pairs(session, options.metadata, false, "metadata", body));
  put_limits(options, body);
  if (!options.thread.empty()) body["thread"] = text(options.thread);
  if (!options.callback_url.empty()) body["callback_url"] = text(options.callback_url);
  if (!options.retention.empty()) body["retention"] = retention(options.retention);
  if (options.max_attempts) body["max_attempts"] = *options.max_attempts;
  return json::value(std::move(body));
}

}  // namespace sandtrail::cli
