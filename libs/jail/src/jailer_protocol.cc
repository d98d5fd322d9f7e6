// SPDX-License-Identifier: Apache-2.0
#include "jail/jailer_protocol.h"

#include <type_traits>

#include "base/limits.h"

namespace sandtrail::jail {
namespace {

enum class Type : unsigned char {
  launch = 1,
  kill,
  list,
  reap,
  ready = 129,
  ended,
  listed,
  reaped
};

class Writer {
 public:
  explicit Writer(Type type) { out_ += static_cast<char>(type); }
  Writer& u8(unsigned value) { return (out_ += static_cast<char>(value), *this); }
  Writer& u32(std::uint32_t value) { return (put_be32(out_, value), *this); }
  Writer& i64(std::int64_t value) {
    return (put_be64(out_, static_cast<std::uint64_t>(value)), *this);
  }
  Writer& text(const std::string& value) {
    u32(static_cast<std::uint32_t>(value.size()));
    return (out_ += value, *this);
  }
  Writer& texts(const std::vector<std::string>& values) {
    u32(static_cast<std::uint32_t>(values.size()));
    for (const auto& value : values) text(value);
    return *this;
  }
  Writer& error(const std::optional<Error>& value) {
    u8(value ? 1 : 0);
    if (value) u8(static_cast<unsigned>(value->code)).text(value->message).text(value->hint);
    return *this;
  }
  Bytes take() { return std::move(out_); }

 private:
  Bytes out_;
};

// Reads past the end yield zeros and make done() false.
class Reader {
 public:
  explicit Reader(BytesView in) : in_(in) {}
  std::uint8_t u8() {
    const auto part = cut(1);
    return part.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(part[0]);
  }
  std::uint32_t u32() {
    const auto part = cut(4);
    return part.empty() ? 0 : get_be32(part);
  }
  std::int64_t i64() {
    const auto part = cut(8);
    return part.empty() ? 0 : static_cast<std::int64_t>(get_be64(part));
  }
  std::string text() { return std::string(cut(u32())); }
  std::vector<std::string> texts() {
    std::vector<std::string> values;
    for (auto count = u32(); count > 0 && !failed_; --count) values.push_back(text());
    return values;
  }
  std::optional<Error> error() {
    if (u8() == 0) return std::nullopt;
    Error error;
    const auto code = u8();
    if (code > static_cast<unsigned>(ErrorCode::internal)) failed_ = true;
    error.code = static_cast<ErrorCode>(code);
    error.message = text();
    error.hint = text();
    return error;
  }
  bool done() const { return !failed_ && in_.empty(); }

 private:
  BytesView cut(std::size_t count) {
    if (in_.size() < count) {
      failed_ = true;
      in_ = {};
      return {};
    }
    const auto part = in_.substr(0, count);
    in_.remove_prefix(count);
    return part;
  }

  BytesView in_;
  bool failed_ = false;
};

void write_usage(Writer& writer, const CgroupUsage& usage) {
  writer.i64(usage.cpu_us).i64(usage.memory_peak_bytes).i64(usage.oom_kills);
  writer.i64(usage.fork_refusals);
}

CgroupUsage read_usage(Reader& reader) {
  CgroupUsage usage;
  usage.cpu_us = reader.i64();
  usage.memory_peak_bytes = reader.i64();
  usage.oom_kills = reader.i64();
  usage.fork_refusals = reader.i64();
  return usage;
}

struct Encoder {
  Bytes operator()(const LaunchJail& m) const {
    Writer writer(Type::launch);
    writer.u32(m.id).u32(m.slot).i64(m.deadline_ms).i64(m.limits.memory_bytes);
    writer.i64(m.limits.processes).i64(m.limits.cpu_millis).i64(m.disk_bytes).text(m.name);
    return writer.take();
  }
  Bytes operator()(const KillJail& m) const { return Writer(Type::kill).u32(m.id).take(); }
  Bytes operator()(const ListJails&) const { return Writer(Type::list).take(); }
  Bytes operator()(const ReapJail& m) const { return Writer(Type::reap).text(m.name).take(); }
  Bytes operator()(const JailerReady& m) const {
    Writer writer(Type::ready);
    return writer.u32(m.version).error(m.error).texts(m.controls).texts(m.controls_missing).take();
  }
  Bytes operator()(const JailEnded& m) const {
    Writer writer(Type::ended);
    writer.u32(m.id).u8(static_cast<unsigned>(m.kill)).error(m.error);
    write_usage(writer, m.usage);
    return writer.take();
  }
  Bytes operator()(const JailsListed& m) const {
    return Writer(Type::listed).texts(m.names).take();
  }
  Bytes operator()(const JailReaped& m) const {
    return Writer(Type::reaped).text(m.name).error(m.error).take();
  }
};

LaunchJail read_launch(Reader& reader) {
  LaunchJail message;
  message.id = reader.u32();
  message.slot = reader.u32();
  message.deadline_ms = reader.i64();
  message.limits.memory_bytes = reader.i64();
  message.limits.processes = reader.i64();
  message.limits.cpu_millis = reader.i64();
  message.disk_bytes = reader.i64();
  message.name = reader.text();
  return message;
}

JailerReady read_ready(Reader& reader) {
  JailerReady message;
  message.version = reader.u32();
  message.error = reader.error();
  message.controls = reader.texts();
  message.controls_missing = reader.texts();
  return message;
}

std::optional<JailEnded> read_ended(Reader& reader) {
  JailEnded message;
  message.id = reader.u32();
  const auto kill = reader.u8();
  if (kill > static_cast<unsigned>(JailerKill::deadline)) return std::nullopt;
  message.kill = static_cast<JailerKill>(kill);
  message.error = reader.error();
  message.usage = read_usage(reader);
  return message;
}

}  // namespace

Bytes encode(const ToJailer& message) {
  return std::visit(Encoder(), message);
}
Bytes encode(const FromJailer& message) {
  return std::visit(Encoder(), message);
}

std::optional<ToJailer> parse_to_jailer(BytesView packet) {
  Reader reader(packet);
  std::optional<ToJailer> message;
  switch (static_cast<Type>(reader.u8())) {
    case Type::launch:
      message = read_launch(reader);
      break;
    case Type::kill:
      message = KillJail{reader.u32()};
      break;
    case Type::list:
      message = ListJails{};
      break;
    case Type::reap:
      message = ReapJail{reader.text()};
      break;
    default:
      break;
  }
  return reader.done() ? message : std::nullopt;
}

std::optional<FromJailer> parse_from_jailer(BytesView packet) {
  Reader reader(packet);
  std::optional<FromJailer> message;
  switch (static_cast<Type>(reader.u8())) {
    case Type::ready:
      message = read_ready(reader);
      break;
    case Type::ended:
      message = read_ended(reader);
      break;
    case Type::listed:
      message = JailsListed{reader.texts()};
      break;
    case Type::reaped: {
      auto name = reader.text();
      message = JailReaped{std::move(name), reader.error()};
      break;
    }
    default:
      break;
  }
  return reader.done() ? message : std::nullopt;
}

}  // namespace sandtrail::jail
