// SPDX-License-Identifier: Apache-2.0
#include "http/sse.h"

#include <charconv>

#include "executions.h"
#include "gateway/read_model.h"
#include "rows.h"

namespace sandtrail::gateway {
namespace {

constexpr Millis kRetry = seconds(2);  // before a reader comes back

// The position after Last-Event-ID; nullopt if the field is malformed.
std::optional<std::int64_t> start_of(const Call& call) {
  const auto last = call.request.fields.get("Last-Event-ID");
  if (!last || last->empty()) return 0;
  std::int64_t position = 0;
  const char* end = last->data() + last->size();
  const auto parsed = std::from_chars(last->data(), end, position);
  if (parsed.ec != std::errc() || parsed.ptr != end || position < 0) return std::nullopt;
  return position == std::numeric_limits<std::int64_t>::max() ? position : position + 1;
}

std::string stored_trail(const Rows& rows, const ExecutionId& id, std::int64_t from) {
  std::string text = http::sse_retry(kRetry);
  rows.scan(row_key('e', id, from), prefix_end(row_key('e', id)),
            [&text](BytesView key, BytesView value) {
              auto event = row_from<TrailDoc>(value);
              text += http::sse_text({std::to_string(last_number(key)), std::move(event.event),
                                      std::move(event.data)});
              return true;
            });
  return text;
}

http::Response stream_head(const Call& call) {
  http::Response head;
  head.fields.set("Content-Type", "text/event-stream");
  head.fields.set("Cache-Control", "no-store");
  head.fields.set("X-Accel-Buffering", "no");
  head.fields.set("Request-Id", call.request_id);
  add_age(call, head);
  return head;
}

Problem too_many_streams() {
  return {"overloaded", "too many streams are open", {}, {{"Retry-After", "5"}}};
}

}  // namespace

// The stored events after Last-Event-ID, then those to come. It ends once the execution is over:
// the terminal event and, if credits were held, the settlement. Erasure comes later and stands only
// in streams that are opened after it.
void stream_execution(Context& context, const CallPtr& call, const PartitionView& view) {
  const auto doc = own_execution(*call, view);
  if (!doc) return;
  const auto from = start_of(*call);
  if (!from) {
    return respond(*call, invalid_parameter("Last-Event-ID", "must be the id of an event"));
  }
  if (!doc->over() && context.streams.full()) return respond(*call, too_many_streams());
  const auto stream = call->responder->start_stream(stream_head(*call));
  if (!stream->write(stored_trail(view.rows(ReadModel::kName), doc->id, *from))) return;
  if (doc->over()) return stream->finish();
  // Full since: without finish() the reader knows that there is more.
  context.streams.add(doc->id, call->actor.key.value_or(KeyId{}), stream);
}

// What the program wrote after Last-Event-ID, live while it runs. An erased execution has none, but
// an end.
void stream_output(Context& context, const CallPtr& call, const PartitionView& view) {
  const auto doc = own_execution(*call, view);
  if (!doc) return;
  const auto last = call->request.fields.get("Last-Event-ID").value_or("");
  const auto from = last.empty() ? OutputCursor() : parse_cursor(last);
  if (!from) {
    return respond(*call, invalid_parameter("Last-Event-ID", "must be the id of an event"));
  }
  if (context.outputs.full()) return respond(*call, too_many_streams());
  const auto stream = call->responder->start_stream(stream_head(*call));
  if (!stream->write(http::sse_retry(kRetry))) return;
  context.outputs.add(*doc, call->actor.key.value_or(KeyId{}), stream, *from);
}

}  // namespace sandtrail::gateway
