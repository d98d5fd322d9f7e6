// SPDX-License-Identifier: Apache-2.0
// One reader of an execution's output: live from the host that runs it, and what is missing from
// the log once it is over.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "gateway/gateway.h"
#include "live_output/output_source.h"
#include "output_text.h"
#include "timers.h"

namespace sandtrail::gateway {

// What sessions work with. Everything outlives them.
struct OutputParts {
  OutputSource* source;  // null: nothing comes live
  Timers& timers;
  GatewayExecutor& executor;
  Payloads* payloads;  // null where no API is served, and so nobody reads
};

// Thread-safe. Held by its table; dropping it cuts the stream. Everything that may take a moment
// runs on the executor: following, since a source may give much at once, and opening the result.
class OutputSession : public std::enable_shared_from_this<OutputSession> {
 public:
  // `over` is called once, outside of the lock, after the stream is finished or cannot go on.
  OutputSession(OutputParts parts, std::shared_ptr<http::Stream> stream, OutputCursor from,
                std::function<void()> over)
      : parts_(parts), stream_(std::move(stream)), over_(std::move(over)), cursor_(from) {}

  // The execution as it now is; in the order of the log.
  void update(const ExecutionDoc& doc);
  // False once the peer is gone.
  bool beat();
  // Cuts the stream; nothing more is written.
  void close();

 private:
  using Generation = std::uint64_t;

  // All below but follow(), retry() and finish() require the lock.
  void run(const ExecutionDoc& doc);
  void begin(std::int64_t attempt);
  std::unique_ptr<OutputSubscription> leave();
  void schedule_follow();
  void schedule_retry();
  void write_pieces(OutputStream stream, const std::vector<OutputPieces::Piece>& pieces);
  void write_truncated(OutputStream stream);
  void write_gap(std::string_view reason);
  void write(std::string text);
  OutputPieces& pieces(OutputStream stream) { return stream == OutputStream::out ? out_ : err_; }

  OutputSink sink_of(Generation generation);
  void on_bytes(Generation generation, OutputStream stream, std::int64_t offset, BytesView bytes);
  void on_cut(Generation generation, OutputStream stream, OutputCut cut);
  void on_end(Generation generation, OutputEnd end);
  void follow(Generation generation);
  void finish(const ExecutionDoc& doc);

  const OutputParts parts_;
  std::mutex mutex_;
  std::shared_ptr<http::Stream> stream_;  // null once it is closed
  std::function<void()> over_;
  OutputCursor cursor_;
  OutputPieces out_{cursor_.seen.out};
  OutputPieces err_{cursor_.seen.err};
  bool told_truncated_[2] = {false, false};
  bool told_gap_ = false;
  bool ended_ = false;  // the execution is over: the rest comes from the log

  // Following. A call for another generation than the current one is of the past.
  Generation generation_ = 0;
  std::unique_ptr<OutputSubscription> subscription_;
  OutputTarget target_;
  std::int64_t bytes_max_ = 0;  // of each stream
  enum class Follow { idle, asked, waiting, through } follow_ = Follow::idle;
  ExecutionStatus status_ = ExecutionStatus::requested;
  ExecutionStatus asked_status_ = ExecutionStatus::requested;  // when it was asked last
  int failures_ = 0;                                           // in a row
};

}  // namespace sandtrail::gateway
