// SPDX-License-Identifier: Apache-2.0
#include "guest/messages.h"

#include "base/limits.h"

namespace sandtrail::guest {
namespace {

enum Type : std::uint8_t {
  kHello = 1,
  kPutFile,
  kVariable,
  kStage,
  kStdin,
  kRun,
  kReady = 129,
  kStarted,
  kOut,
  kTotal,
  kStageDone,
  kExited,
  kFailed
};

constexpr std::size_t kTextBytesMax = 0xffff;
constexpr std::uint8_t kExecutable = 1;
constexpr std::uint8_t kAppend = 2;

class Writer {
 public:
  explicit Writer(std::uint8_t type) { frame_.type = type; }
  Writer& u8(unsigned value) { return (frame_.payload += static_cast<char>(value), *this); }
  Writer& u16(std::size_t value) {
    return (put_be16(frame_.payload, static_cast<std::uint16_t>(value)), *this);
  }
  Writer& u32(std::uint32_t value) { return (put_be32(frame_.payload, value), *this); }
  Writer& i64(std::int64_t value) {
    return (put_be64(frame_.payload, static_cast<std::uint64_t>(value)), *this);
  }
  // What is too long is cut here; senders check fits() first.
  Writer& text(std::string_view value) {
    value = value.substr(0, kTextBytesMax);
    return u16(value.size()).rest(value);
  }
  Writer& rest(BytesView value) { return (frame_.payload += value, *this); }
  Frame take() { return std::move(frame_); }

 private:
  Frame frame_;
};

// Reads past the end yield zeros and make done() false.
class Reader {
 public:
  explicit Reader(BytesView in) : in_(in) {}
  std::uint8_t u8() {
    const auto part = cut(1);
    return part.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(part[0]);
  }
  std::uint16_t u16() {
    const auto part = cut(2);
    return part.empty() ? std::uint16_t{0} : get_be16(part);
  }
  std::uint32_t u32() {
    const auto part = cut(4);
    return part.empty() ? 0 : get_be32(part);
  }
  // Amounts are never negative on the wire.
  std::int64_t i64() {
    const auto part = cut(8);
    const auto value = part.empty() ? 0 : static_cast<std::int64_t>(get_be64(part));
    if (value < 0) failed_ = true;
    return value;
  }
  bool flag() {
    const auto value = u8();
    if (value > 1) failed_ = true;
    return value == 1;
  }
  Stream stream() {
    const auto value = u8();
    if (value != 1 && value != 2) failed_ = true;
    return static_cast<Stream>(value);
  }
  std::string text() { return std::string(cut(u16())); }
  Bytes rest() { return Bytes(cut(in_.size())); }
  bool failed() const { return failed_; }
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

struct Encoder {
  Frame operator()(const Hello& m) const { return Writer(kHello).u32(m.version).take(); }
  Frame operator()(const PutFile& m) const {
    const auto flags = (m.executable ? kExecutable : 0) | (m.append ? kAppend : 0);
    return Writer(kPutFile).u8(static_cast<unsigned>(flags)).text(m.path).rest(m.content).take();
  }
  Frame operator()(const Variable& m) const {
    return Writer(kVariable).text(m.name).text(m.value).take();
  }
  Frame operator()(const Stage& m) const {
    Writer writer(kStage);
    writer.u8(m.takes_stdin ? 1 : 0).u16(m.argv.size());
    for (const auto& argument : m.argv) writer.text(argument);
    return writer.take();
  }
  Frame operator()(const Stdin& m) const { return Writer(kStdin).rest(m.content).take(); }
  Frame operator()(const Run& m) const {
    return Writer(kRun).i64(m.output_bytes).i64(m.output_flood_bytes).take();
  }
  Frame operator()(const Ready& m) const { return Writer(kReady).u32(m.version).take(); }
  Frame operator()(const Started& m) const { return Writer(kStarted).u8(m.stage).take(); }
  Frame operator()(const Out& m) const {
    return Writer(kOut).u8(static_cast<unsigned>(m.stream)).rest(m.content).take();
  }
  Frame operator()(const Total& m) const {
    return Writer(kTotal).u8(static_cast<unsigned>(m.stream)).i64(m.bytes).take();
  }
  Frame operator()(const StageDone& m) const {
    return Writer(kStageDone).u8(m.stage).u8(m.signaled ? 1 : 0).u8(m.value).take();
  }
  Frame operator()(const Exited&) const { return Writer(kExited).take(); }
  Frame operator()(const Failed& m) const {
    return Writer(kFailed).u8(static_cast<unsigned>(m.code)).rest(m.message).take();
  }
};

PutFile read_put_file(Reader& reader) {
  PutFile message;
  const auto flags = reader.u8();
  message.executable = (flags & kExecutable) != 0;
  message.append = (flags & kAppend) != 0;
  message.path = reader.text();
  message.content = reader.rest();
  return message;
}

Stage read_stage(Reader& reader) {
  Stage message;
  message.takes_stdin = reader.flag();
  for (auto count = reader.u16(); count > 0 && !reader.failed(); --count) {
    message.argv.push_back(reader.text());
  }
  return message;
}

Failed read_failed(Reader& reader) {
  Failed message;
  const auto code = reader.u8();
  message.code =
      code > static_cast<unsigned>(ErrorCode::internal) ? ErrorCode::internal : ErrorCode{code};
  message.message = reader.rest();
  return message;
}

std::optional<ToAgent> read_to_agent(std::uint8_t type, Reader& reader) {
  switch (type) {
    case kHello:
      return Hello{reader.u32()};
    case kPutFile:
      return read_put_file(reader);
    case kVariable: {
      auto name = reader.text();
      return Variable{std::move(name), reader.text()};
    }
    case kStage:
      return read_stage(reader);
    case kStdin:
      return Stdin{reader.rest()};
    case kRun: {
      const auto kept = reader.i64();
      return Run{kept, reader.i64()};
    }
    default:
      return std::nullopt;
  }
}

std::optional<FromAgent> read_from_agent(std::uint8_t type, Reader& reader) {
  switch (type) {
    case kReady:
      return Ready{reader.u32()};
    case kStarted:
      return Started{reader.u8()};
    case kOut: {
      const auto stream = reader.stream();
      return Out{stream, reader.rest()};
    }
    case kTotal: {
      const auto stream = reader.stream();
      return Total{stream, reader.i64()};
    }
    case kStageDone: {
      const auto stage = reader.u8();
      const bool signaled = reader.flag();
      return StageDone{stage, signaled, reader.u8()};
    }
    case kExited:
      return Exited{};
    case kFailed:
      return read_failed(reader);
    default:
      return std::nullopt;
  }
}

template <typename Message>
Result<std::optional<Message>> check(std::optional<Message> message, const Reader& reader) {
  if (message && !reader.done()) {
    return Error{ErrorCode::corrupt, "guest stream: malformed message", ""};
  }
  return message;
}

}  // namespace

bool fits(const ToAgent& message) {
  std::size_t size = kFrameHeaderBytes + 8;
  bool texts = true;
  const auto count = [&](const std::string& text) {
    size += 2 + text.size();
    texts = texts && text.size() <= kTextBytesMax;
  };
  if (const auto* file = std::get_if<PutFile>(&message)) {
    count(file->path);
    size += file->content.size();
  } else if (const auto* variable = std::get_if<Variable>(&message)) {
    count(variable->name);
    count(variable->value);
  } else if (const auto* stage = std::get_if<Stage>(&message)) {
    texts = stage->argv.size() <= limits::kStageArgumentsMax;
    for (const auto& argument : stage->argv) count(argument);
  } else if (const auto* input = std::get_if<Stdin>(&message)) {
    size += input->content.size();
  }
  return texts && size <= limits::kGuestFrameBytesMax;
}

Frame encode(const ToAgent& message) {
  ST_ASSERT(fits(message));
  return std::visit(Encoder(), message);
}
Frame encode(const FromAgent& message) {
  return std::visit(Encoder(), message);
}

Result<std::optional<ToAgent>> parse_to_agent(const Frame& frame) {
  Reader reader(frame.payload);
  auto message = read_to_agent(frame.type, reader);
  return check(std::move(message), reader);
}

Result<std::optional<FromAgent>> parse_from_agent(const Frame& frame) {
  Reader reader(frame.payload);
  auto message = read_from_agent(frame.type, reader);
  return check(std::move(message), reader);
}

bool is_relative_path(std::string_view path) {
  if (path.empty() || path.size() > limits::kPathBytesMax) return false;
  if (path.find('\0') != std::string_view::npos) return false;
  for (std::size_t at = 0; at <= path.size();) {
    const auto part = path.substr(at, path.find('/', at) - at);
    if (part.empty() || part == "." || part == "..") return false;
    at += part.size() + 1;
  }
  return true;
}

}  // namespace sandtrail::guest
