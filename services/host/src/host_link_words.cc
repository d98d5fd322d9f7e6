// SPDX-License-Identifier: Apache-2.0
// What is said within a session: orders one way, reports the other.
#include <algorithm>

#include "host_link.h"
#include "obs/log.h"

namespace sandtrail {
namespace {

constexpr Millis kFetchSlack = seconds(3);  // beyond what the launcher waits
constexpr std::size_t kOrdersAnswerBytesMax =
    limits::kHostOrderBytesMax + limits::kHostOrdersBytesMax;

}  // namespace

void HostLink::fetch_locked() {
  fetching_ = true;
  http::ClientRequest request =
      request_locked("GET", "/" + session_ + "/orders?after=" + std::to_string(last_order_),
                     Millis{wait_.count + kFetchSlack.count});
  request.response_bytes_max = kOrdersAnswerBytesMax;
  parts_.client.send(std::move(request),
                     [weak = weak_from_this(), generation = generation_](Answer answer) {
                       if (const auto self = weak.lock()) self->on_orders(answer, generation);
                     });
}

void HostLink::on_orders(Answer& answer, std::uint64_t generation) {
  {
    const std::lock_guard lock(mutex_);
    if (generation_ != generation) return;
    if (!answer.ok() || answer->status != 200) {
      fetching_ = false;
      if (!over_locked(answer)) fetch_due_us_ = after_us(fetch_failures_++);
      return;
    }
  }
  auto orders = read_orders(answer->body);
  wipe(answer->body);  // keys
  if (!orders.ok()) {
    const std::lock_guard lock(mutex_);
    if (generation_ == generation) abandon_locked(after_us(++failures_), "unreadable orders");
    return;
  }
  const bool all = std::all_of(orders->begin(), orders->end(),
                               [&](NumberedOrder& order) { return carry_out(order, generation); });
  const std::lock_guard lock(mutex_);
  if (generation_ != generation) return;
  fetch_failures_ = 0;
  fetching_ = false;
  if (all) fetch_locked();  // else tick() does, if the session goes on
}

// False if the session has ended, or must not be trusted any more.
bool HostLink::carry_out(NumberedOrder& order, std::uint64_t generation) {
  const std::lock_guard one_at_a_time(obeying_);
  HostEngine::Route route = 0;
  {
    const std::lock_guard lock(mutex_);
    if (generation_ != generation) return false;
    if (order.number <= last_order_) return true;  // a repeat
    route = route_;
  }
  // This process may have stood still since the order was given, for longer than anybody waits.
  if (!parts_.lease.valid(parts_.clock.boot_us())) return false;
  obey(order, route);
  const std::lock_guard lock(mutex_);
  if (generation_ != generation) return false;
  last_order_ = order.number;
  return true;
}

void HostLink::obey(NumberedOrder& order, HostEngine::Route route) {
  HostEngine& engine = parts_.engine;
  if (auto* launch = std::get_if<LaunchOrder>(&order.order)) {
    engine.launch(route, std::move(*launch));
  } else if (const auto* cancel = std::get_if<CancelOrder>(&order.order)) {
    engine.cancel(route, cancel->by, cancel->execution, cancel->attempt);
  } else if (const auto* known = std::get_if<AcknowledgeOrder>(&order.order)) {
    engine.acknowledge(route, known->by, known->execution, known->attempt);
  } else if (const auto* owner = std::get_if<TakeOverOrder>(&order.order)) {
    auto held = engine.take_over(route, owner->by);
    if (!held) return;  // by a launcher that was replaced
    const std::int32_t partition = owner->by.partition;
    Word word;
    word.text = word_text(TakenOver{order.number, partition, std::move(*held)});
    {
      const std::lock_guard lock(mutex_);
      if (route_ != route) return;
      queue_locked(std::move(word));
    }
    engine.resend(partition);
    const std::lock_guard lock(mutex_);
    send_words_locked();
  }
}

void HostLink::report(HostEngine::Route route, const HostReport& report) {
  Word word;
  word.execution = report.execution;
  word.attempt = report.attempt;
  if (!std::holds_alternative<ExecutionFinished>(report.what)) word.text = word_text(report);
  const std::lock_guard lock(mutex_);
  // Of an owner whose session is over: whoever comes next asks for what is kept.
  if (phase_ != Phase::joined || route_ != route) return;
  queue_locked(std::move(word));
  send_words_locked();
}

void HostLink::queue_locked(Word word) {
  words_bytes_ += word.text.size();
  words_.push_back(std::move(word));
  if (words_.size() > limits::kHostOrdersQueuedMax ||
      words_bytes_ > limits::kHostUnappliedBytesMax) {
    abandon_locked(after_us(++failures_), "it takes no reports");
  }
}

void HostLink::drop_words_locked(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) words_bytes_ -= words_[i].text.size();
  words_.erase(words_.begin(), words_.begin() + static_cast<std::ptrdiff_t>(count));
}

// Texts of the first words, as many as go together; returns of how many.
std::size_t HostLink::next_words_locked(std::vector<Bytes>& texts) const {
  std::size_t bytes = 0;
  std::size_t count = 0;
  for (const Word& word : words_) {
    if (count > 0 && (one_by_one_ || bytes > limits::kHostReportBatchBytesMax)) break;
    ++count;
    if (!word.text.empty()) {
      texts.push_back(word.text);
    } else if (const auto kept = parts_.engine.kept(word.execution, word.attempt)) {
      texts.push_back(word_text(*kept));
    } else {
      continue;  // applied meanwhile
    }
    bytes += texts.back().size();
  }
  return count;
}

void HostLink::send_words_locked() {
  if (phase_ != Phase::joined || sending_ || words_.empty()) return;
  if (send_due_us_ != 0 && parts_.clock.boot_us() < send_due_us_) return;
  std::vector<Bytes> texts;
  const std::size_t count = next_words_locked(texts);
  sending_ = true;
  told_ = load_locked();
  http::ClientRequest request =
      request_locked("POST", "/" + session_ + "/reports", limits::kHostAnswerMax);
  request.body = words_text(told_, {texts.begin(), texts.end()});
  send_locked(std::move(request), [count](HostLink& self, const Answer& answer) {
    self.on_words_locked(answer, count);
  });
}

void HostLink::on_words_locked(const Answer& answer, std::size_t count) {
  sending_ = false;
  send_due_us_ = 0;
  if (answer.ok() && answer->status == 204) {
    send_failures_ = 0;
    one_by_one_ = false;
    drop_words_locked(count);
  } else if (answer.ok() && (answer->status == 400 || answer->status == 413)) {
    // One of them is at fault, and must not hold up the others.
    if (count == 1) {
      log_error("a launcher cannot read a report of this host",
                {{"launcher", url_.text()}, {"execution", words_.front().execution}});
      drop_words_locked(1);
    }
    one_by_one_ = true;
  } else if (over_locked(answer)) {
    return;
  } else {
    send_due_us_ = after_us(send_failures_++);
  }
  send_words_locked();
}

}  // namespace sandtrail
