// SPDX-License-Identifier: Apache-2.0
// The OutputSource port: what a running attempt writes, from the host that runs it. Nothing of it
// is a fact: the result in the log is, and whoever follows takes from there what it missed here.
// Adapters: the hub of a host in this process (output_hub.h), the data plane of another
// (remote_source.h). test/contract/live_output runs on both.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/id.h"
#include "codec/reflect.h"
#include "sandbox/driver.h"

namespace sandtrail {

template <>
struct EnumNames<OutputStream> {
  static constexpr std::array<std::pair<OutputStream, std::string_view>, 2> names{
      {{OutputStream::out, "stdout"}, {OutputStream::err, "stderr"}}};
};

// Bytes from the beginning of each stream of one attempt.
struct OutputOffsets {
  std::int64_t out = 0;
  std::int64_t err = 0;

  std::int64_t& of(OutputStream stream) { return stream == OutputStream::out ? out : err; }
  std::int64_t of(OutputStream stream) const { return stream == OutputStream::out ? out : err; }
  bool operator==(const OutputOffsets&) const = default;
};

struct OutputTarget {
  ExecutionId execution;
  std::int64_t attempt = 0;
  std::string address;  // "host:port" of the host's data plane; empty: the built-in host
};

// Why nothing more of a stream comes live.
enum class OutputCut {
  cap,     // it went past what is kept: nobody has the rest
  memory,  // the host had no room to keep it live: the result has the rest
};
template <>
struct EnumNames<OutputCut> {
  static constexpr std::array<std::pair<OutputCut, std::string_view>, 2> names{
      {{OutputCut::cap, "cap"}, {OutputCut::memory, "memory"}}};
};

enum class OutputEnd {
  over,        // the attempt has ended, and all that was kept live was given
  unknown,     // the host does not run it: not yet, not any more, or never
  overloaded,  // too many follow
  broken,      // the host cannot be reached, or what came from it broke off
};
template <>
struct EnumNames<OutputEnd> {
  static constexpr std::array<std::pair<OutputEnd, std::string_view>, 4> names{
      {{OutputEnd::over, "over"},
       {OutputEnd::unknown, "unknown"},
       {OutputEnd::overloaded, "overloaded"},
       {OutputEnd::broken, "broken"}}};
};

// All three must be set. Called one at a time, on any thread, also on that of follow() before it
// returns. They must not block.
struct OutputSink {
  // The first piece of each stream starts at the offset asked for, each other one where the one
  // before it ended. The view is valid only during the call.
  std::function<void(OutputStream stream, std::int64_t offset, BytesView bytes)> on_bytes;
  std::function<void(OutputStream stream, OutputCut cut)> on_cut;  // at most once a stream
  std::function<void(OutputEnd end)> on_end;                       // once, as the last
};

// Its end stops the calls; one that is under way on another thread may still be.
class OutputSubscription {
 public:
  virtual ~OutputSubscription() = default;
};

// Thread-safe. Subscriptions may outlive it.
class OutputSource {
 public:
  virtual ~OutputSource() = default;
  // Gives what there is from `from` on, then what comes. Never fails: what is wrong is told by
  // on_end.
  virtual std::unique_ptr<OutputSubscription> follow(const OutputTarget& target,
                                                     const OutputOffsets& from,
                                                     OutputSink sink) = 0;
};

// Targets with an address to one source, those without to the other. Either may be null: then every
// such target is `broken`. Both must outlive it.
class RoutedOutputSource final : public OutputSource {
 public:
  RoutedOutputSource(OutputSource* builtin, OutputSource* remote)
      : builtin_(builtin), remote_(remote) {}
  std::unique_ptr<OutputSubscription> follow(const OutputTarget& target, const OutputOffsets& from,
                                             OutputSink sink) override;

 private:
  OutputSource* const builtin_;
  OutputSource* const remote_;
};

}  // namespace sandtrail
