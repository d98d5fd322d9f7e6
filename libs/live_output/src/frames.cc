// SPDX-License-Identifier: Apache-2.0
#include "frames.h"

#include <charconv>

#include "base/limits.h"
#include "codec/text.h"
#include "http/message.h"

namespace sandtrail::live_output {
namespace {

constexpr std::string_view kPrefix = "/data/v1/executions/";
constexpr std::string_view kAttempts = "/attempts/";
constexpr std::string_view kOutput = "/output";

std::string_view name_of(const Frame& frame) {
  constexpr std::string_view names[] = {"chunk", "cut", "end"};
  return names[frame.index()];
}

template <typename T>
Result<Frame> parsed(const json::value& data) {
  auto frame = from_json<T>(data);
  if (frame.ok()) return Frame(std::move(frame).value());
  return Error{ErrorCode::corrupt, "an event of the data plane is malformed", ""};
}

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end || value < 0) return std::nullopt;
  return value;
}

}  // namespace

Bytes text_of(const Frame& frame) {
  http::SseEvent event;
  event.event = name_of(frame);
  event.data = std::visit([](const auto& one) { return to_text(one); }, frame);
  return http::sse_text(event);
}

Result<Frame> parse_frame(const http::SseEvent& event) {
  auto data = json::parse(event.data);
  if (!data.ok()) return Error{ErrorCode::corrupt, "an event of the data plane is no JSON", ""};
  if (event.event == "chunk") return parsed<ChunkFrame>(*data);
  if (event.event == "cut") return parsed<CutFrame>(*data);
  if (event.event == "end") return parsed<EndFrame>(*data);
  return Error{ErrorCode::corrupt, "an event of the data plane has an unknown type", ""};
}

std::string path_of(const ExecutionId& execution, std::int64_t attempt, const OutputOffsets& from) {
  return std::string(kPrefix) + execution.text() + std::string(kAttempts) +
         std::to_string(attempt) + std::string(kOutput) + "?stdout=" + std::to_string(from.out) +
         "&stderr=" + std::to_string(from.err);
}

Result<Asked> parse_path(std::string_view path, std::string_view query) {
  const Error elsewhere{ErrorCode::not_found, "no such path", ""};
  if (!path.starts_with(kPrefix) || !path.ends_with(kOutput)) return elsewhere;
  path.remove_prefix(kPrefix.size());
  path.remove_suffix(std::min(path.size(), kOutput.size()));
  const auto middle = path.find(kAttempts);
  if (middle == std::string_view::npos) return elsewhere;
  const auto execution = ExecutionId::parse(path.substr(0, middle));
  const auto attempt = number_of(path.substr(middle + kAttempts.size()));
  if (!execution || !attempt) return elsewhere;
  Asked asked{*execution, *attempt, {}};
  const auto parameters = http::parse_query(query);
  if (!parameters) return Error{ErrorCode::invalid_argument, "the query is malformed", ""};
  for (const auto& [name, value] : *parameters) {
    const auto stream = enum_from<OutputStream>(name);
    const auto offset = number_of(value);
    if (!stream || !offset) {
      return Error{ErrorCode::invalid_argument, "stdout and stderr are offsets", ""};
    }
    asked.from.of(*stream) = *offset;
  }
  return asked;
}

}  // namespace sandtrail::live_output
