// SPDX-License-Identifier: Apache-2.0
#include "sender.h"

#include <utility>

#include "base/limits.h"
#include "crypto/webhook_signature.h"

namespace sandtrail {
namespace {

class Sender : public std::enable_shared_from_this<Sender> {
 public:
  Sender(Sending& sending, std::shared_ptr<Attempt> attempt, UnixMs now, std::function<void()> done)
      : sending_(sending), attempt_(std::move(attempt)), now_(now), done_(std::move(done)) {}

  void run() {
    auto& payloads = sending_.payloads;
    MessageParts parts;
    parts.type = attempt_->row.message_type;
    parts.execution = attempt_->row.execution;
    parts.org = attempt_->row.org;
    parts.row = attempt_->message;
    parts.public_url = sending_.options.public_url;
    auto input = payloads.open_json<ExecutionInput>({"input", ""}, parts.row.input);
    if (!input.ok()) return not_opened(input.error());
    parts.input = std::move(input).value();
    if (const auto& finished = parts.row.finished; finished && finished->payload) {
      auto output = payloads.open_json<ExecutionOutput>(
          {"output", std::to_string(finished->attempt)}, *finished->payload);
      if (!output.ok()) return not_opened(output.error());
      parts.output = std::move(output).value();
    }
    auto secret = payloads.open(attempt_->secret_purpose, attempt_->secret);
    if (!secret.ok()) return not_opened(secret.error());
    if (attempt_->url.empty()) attempt_->url = parts.input.callback_url;
    auto url = http::parse_url(attempt_->url);
    auto key = parse_webhook_secret(*secret);
    wipe(*secret);
    if (!url.ok() || !key.ok()) return impossible("invalid_endpoint");
    send(std::move(url).value(), *key, message_body(parts));
  }

 private:
  // A store that is away says nothing about the payload: the attempt is still to be made.
  void not_opened(const Error& error) {
    if (error.code == ErrorCode::not_found) return impossible("erased");
    if (error.code == ErrorCode::corrupt) return impossible("unreadable");
    attempt_->prevented = error;
    done_();
  }
  void impossible(const std::string& why) {
    attempt_->impossible = why;
    done_();
  }

  void send(http::Url url, const SecretBytes& key, std::string body) {
    const std::string host = url.host + ":" + std::to_string(url.port);
    auto request = std::make_shared<http::ClientRequest>();
    request->method = "POST";
    const std::int64_t timestamp_s = now_.count / 1000;
    const std::string id = attempt_->delivery.text();
    request->fields.add("Content-Type", "application/json");
    request->fields.add("webhook-id", id);
    request->fields.add("webhook-timestamp", std::to_string(timestamp_s));
    request->fields.add("webhook-signature", sign_webhook(key, id, timestamp_s, body));
    request->url = std::move(url);
    request->body = std::move(body);
    request->timeout = limits::kWebhookTimeout;
    request->response_bytes_max = limits::kWebhookResponseBytesMax;
    request->truncate_response = true;
    sending_.queue.submit(attempt_->row.org, host, [self = shared_from_this(), host, request] {
      self->sending_.client.send(std::move(*request),
                                 [self, host](Result<http::ClientResponse> answer) {
                                   self->attempt_->answer = std::move(answer);
                                   self->done_();
                                   self->sending_.queue.finished(self->attempt_->row.org, host);
                                 });
    });
  }

  Sending& sending_;
  std::shared_ptr<Attempt> attempt_;
  UnixMs now_;
  std::function<void()> done_;
};

}  // namespace

void send_attempt(Sending& sending, std::shared_ptr<Attempt> attempt, UnixMs now,
                  std::function<void()> done) {
  auto sender = std::make_shared<Sender>(sending, std::move(attempt), now, std::move(done));
  sending.executor([sender] { sender->run(); });
}

}  // namespace sandtrail
