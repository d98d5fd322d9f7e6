// SPDX-License-Identifier: Apache-2.0
#include "message.h"

#include "base/limits.h"

namespace sandtrail {
namespace {

// A stream as text, or as base64 where it is not UTF-8: receivers verify the body as UTF-8.
void add_stream(json::object& data, const std::string& name, const Bytes& bytes,
                const OutputFacts& facts) {
  if (is_utf8(bytes)) {
    data[name] = json::value(std::string_view(bytes));
  } else {
    data[name + "_base64"] = json::value(std::string_view(base64(bytes)));
  }
  data[name + "_truncated"] = facts.truncated;
}

void add_finished(json::object& data, const MessageParts& parts) {
  const ExecutionFinished& finished = *parts.row.finished;
  data["verdict"] = json::value(enum_text(finished.verdict));
  data["cause"] = json::value(std::string_view(finished.cause));
  if (finished.exit_code) data["exit_code"] = *finished.exit_code;
  if (finished.signal) data["signal"] = *finished.signal;
  data["usage"] = to_json(finished.usage);
  const std::size_t size = parts.output.out.bytes.size() + parts.output.err.bytes.size();
  if (size > limits::kWebhookBodyOutputBytesMax) {
    data["output_omitted"] = true;
    return;
  }
  add_stream(data, "stdout", parts.output.out.bytes, finished.out);
  add_stream(data, "stderr", parts.output.err.bytes, finished.err);
}

}  // namespace

std::string message_body(const MessageParts& parts) {
  json::object data;
  data["id"] = json::value(std::string_view(parts.execution.text()));
  data["organization"] = json::value(std::string_view(parts.org.text()));
  data["status"] = json::value(std::string_view(parts.type).substr(parts.type.find('.') + 1));
  if (!parts.row.language.empty()) {
    data["language"] = json::value(std::string_view(parts.row.language));
  }
  data["created_at"] = json::value(std::string_view(rfc3339(parts.row.requested)));
  data["ended_at"] = json::value(std::string_view(rfc3339(parts.row.ended)));
  if (!parts.row.reason.empty()) data["reason"] = json::value(std::string_view(parts.row.reason));
  if (!parts.row.detail.empty()) data["detail"] = json::value(std::string_view(parts.row.detail));
  if (parts.row.finished) add_finished(data, parts);
  if (!parts.input.thread.empty()) {
    data["thread"] = json::value(std::string_view(parts.input.thread));
  }
  if (!parts.input.metadata.empty()) data["metadata"] = reflect::write(parts.input.metadata);
  const std::string url = parts.public_url + "/v1/executions/" + parts.execution.text();
  data["url"] = json::value(std::string_view(url));

  json::object body;
  body["type"] = json::value(std::string_view(parts.type));
  body["timestamp"] = json::value(std::string_view(rfc3339(parts.row.ended)));
  body["data"] = std::move(data);
  return json::print(body);
}

}  // namespace sandtrail
