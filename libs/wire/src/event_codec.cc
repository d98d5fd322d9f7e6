// SPDX-License-Identifier: Apache-2.0
#include "wire/event_codec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "base/bytes.h"
#include "base/limits.h"
#include "codec/text.h"

namespace sandtrail {
namespace {

// What stands in the data beside the body's own fields.
struct EnvelopeData {
  std::optional<Actor> actor;
  std::string request_id;
  std::optional<Decision> decision;
  std::optional<Idempotency> idempotency;
  std::optional<std::int64_t> expected_version;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("actor", s.actor);
    v.with_default("request_id", s.request_id);
    v("decision", s.decision);
    v("idempotency", s.idempotency);
    v("expected_version", s.expected_version);
  }
};

// Of most data, so that the text need not grow.
constexpr std::size_t kUsualBytes = 512;

std::string data_of(const Event& event) {
  std::string data;
  data.reserve(kUsualBytes);
  reflect::TextWriter writer(data);
  std::visit([&writer]<typename T>(const T& body) { T::fields(body, writer); }, event.body);
  writer("actor", event.actor);
  if (!event.request_id.empty()) writer("request_id", event.request_id);
  writer("decision", event.decision);
  writer("idempotency", event.idempotency);
  writer("expected_version", event.expected_version);
  writer.close();
  return data;
}

template <typename T>
std::optional<EventBody> decode_body(const json::Node& data) {
  auto body = from_node<T>(data);
  if (!body.ok()) return std::nullopt;
  return EventBody(std::move(body).value());
}

using BodyDecoder = std::optional<EventBody> (*)(const json::Node&);

const std::map<std::string_view, BodyDecoder>& body_decoders() {
  static const auto decoders = [] {
    std::map<std::string_view, BodyDecoder> out;
    for_each_event_type([&out]<typename T>() { out[T::kType] = &decode_body<T>; });
    return out;
  }();
  return decoders;
}

// The headers that are read, each once: the first of its name counts.
struct Attributes {
  std::optional<std::string_view> specversion, id, time, schema_version;
  std::string_view source, subject, correlation, causation, traceparent;
};

Attributes attributes_of(const Record& record) {
  Attributes out;
  const auto first = [](std::optional<std::string_view>& at, std::string_view value) {
    if (!at) at = value;
  };
  std::array<std::optional<std::string_view>, 5> texts;
  static constexpr std::array<std::string_view, 5> kTexts{
      "ce_source", "ce_subject", "ce_correlationid", "ce_causationid", "ce_traceparent"};
  for (const auto& [name, value] : record.headers) {
    if (name == "ce_specversion") {
      first(out.specversion, value);
    } else if (name == "ce_id") {
      first(out.id, value);
    } else if (name == "ce_time") {
      first(out.time, value);
    } else if (name == "ce_schemaversion") {
      first(out.schema_version, value);
    } else {
      const auto found = std::find(kTexts.begin(), kTexts.end(), name);
      if (found != kTexts.end())
        first(texts[static_cast<std::size_t>(found - kTexts.begin())], value);
    }
  }
  out.source = texts[0].value_or("");
  out.subject = texts[1].value_or("");
  out.correlation = texts[2].value_or("");
  out.causation = texts[3].value_or("");
  out.traceparent = texts[4].value_or("");
  return out;
}

// The attributes that stand in headers and in the key; false if a required one is not readable.
bool decode_attributes(const Record& record, Event& event) {
  const Attributes in = attributes_of(record);
  const auto id = EventId::parse(in.id.value_or(""));
  const auto time = parse_rfc3339(in.time.value_or(""));
  if (in.specversion != "1.0" || !id || !time) return false;
  event.id = *id;
  event.time = *time;
  if (!record.key.empty()) {
    const auto org = OrgId::parse(record.key);
    if (!org) return false;
    event.org = *org;
  }
  const std::string_view version = in.schema_version.value_or("1");
  const auto parsed =
      std::from_chars(version.data(), version.data() + version.size(), event.schema_version);
  if (parsed.ec != std::errc() || parsed.ptr != version.data() + version.size()) return false;
  // Kafka headers are bytes, attributes are text; rows made of them must be JSON.
  for (const auto text : {in.source, in.subject, in.correlation, in.causation, in.traceparent}) {
    if (!is_utf8(text)) return false;
  }
  event.source = in.source;
  event.subject = in.subject;
  event.correlation = in.correlation;
  event.causation = in.causation;
  event.traceparent = in.traceparent;
  return true;
}

// The data of an older version in the form of today; nullopt if it is not what that version wrote.
std::optional<std::string> upcast_data(const Record& record, std::string_view type,
                                       std::int64_t version, const SchemaVersions& versions) {
  // As its own version reads it: a tree would take the last of a name given twice.
  if (!json::scan(record.value, [](const json::Node&) {}).ok()) return std::nullopt;
  auto data = json::parse(record.value);
  if (!data.ok() || !data->is_object()) return std::nullopt;
  if (!versions.upcast(type, version, data->get_object())) return std::nullopt;
  return json::print(*data);
}

// Why it cannot be read; nullopt if it is.
std::optional<VoidReason> decode_into(const Record& record, const SchemaVersions& versions,
                                      Event& event) {
  if (!decode_attributes(record, event)) return VoidReason::malformed;
  const std::string_view type = record.header("ce_type").value_or("");
  const auto decoder = body_decoders().find(type);
  if (decoder == body_decoders().end()) return VoidReason::unknown_type;
  std::string upcast;
  std::string_view text = record.value;
  if (std::max<std::int64_t>(event.schema_version, 1) < versions.current(type)) {
    auto data = upcast_data(record, type, event.schema_version, versions);
    if (!data) return VoidReason::malformed;
    upcast = std::move(*data);
    text = upcast;
  }
  Result<EnvelopeData> envelope = Error{};
  std::optional<EventBody> body;
  const Status read = json::scan(text, [&](const json::Node& data) {
    envelope = from_node<EnvelopeData>(data);
    if (envelope.ok()) body = decoder->second(data);
  });
  if (!read.ok() || !envelope.ok() || !body) return VoidReason::malformed;
  event.actor = std::move(envelope->actor);
  event.request_id = std::move(envelope->request_id);
  event.decision = envelope->decision;
  event.idempotency = std::move(envelope->idempotency);
  event.expected_version = envelope->expected_version;
  event.body = std::move(*body);
  return std::nullopt;
}

}  // namespace

Result<Record> encode_event(const Event& event, const SchemaVersions& versions) {
  Record record;
  if (!event.org.nil()) record.key = event.org.text();
  record.headers.reserve(11);
  const auto add = [&record](std::string_view name, std::string value) {
    if (!value.empty()) record.headers.emplace_back(name, std::move(value));
  };
  add("ce_specversion", "1.0");
  add("ce_id", event.id.text());
  add("ce_type", std::string(type_of(event.body)));
  add("ce_source", event.source);
  add("ce_subject", event.subject);
  add("ce_time", rfc3339(event.time));
  add("ce_schemaversion", std::to_string(versions.current(type_of(event.body))));
  add("ce_correlationid", event.correlation);
  add("ce_causationid", event.causation);
  add("ce_traceparent", event.traceparent);
  add("content-type", "application/json");
  record.value = data_of(event);
  if (record.size() > limits::kRecordBytesMax) {
    return Error{ErrorCode::invalid_argument,
                 "an event of " + std::to_string(record.size()) + " bytes is over the limit of " +
                     std::to_string(limits::kRecordBytesMax),
                 ""};
  }
  return record;
}

std::variant<Event, VoidReason> decode_event(const Record& record, const SchemaVersions& versions) {
  std::variant<Event, VoidReason> out;
  if (const auto reason = decode_into(record, versions, std::get<Event>(out))) out = *reason;
  return out;
}

}  // namespace sandtrail
