// SPDX-License-Identifier: Apache-2.0
// One connection of the server, plain or TLS: reads a request, hands it to the handler, writes the
// answer, and so on, one at a time. Everything runs on its loop's thread, but for the post_
// functions.
#pragma once

#include <memory>
#include <string>

#include "exchange.h"
#include "head_text.h"
#include "request_reader.h"
#include "server_loop.h"
#include "transport.h"

namespace sandtrail::http {

class Connection final : public ExchangePort, public std::enable_shared_from_this<Connection> {
 public:
  // With `refuse` it only says 503.
  Connection(ServerLoop& loop, std::shared_ptr<Transport> transport, std::string peer_address,
             bool refuse);

  void start();
  bool late(std::int64_t now_us) const { return deadline_us_ != 0 && now_us > deadline_us_; }
  void time_out();
  void drain();  // close after the answer that is owed, or now
  void close();  // at once

  void post_answer(Response response) override;
  void post_abandoned() override;
  void post_stream(Response head) override;
  void post_flush() override;
  void post_cut() override;

 private:
  enum class Phase {
    greeting,   // the TLS handshake
    reading,    // waits for or reads a request
    handling,   // the handler has it
    answering,  // a whole answer is being written
    streaming,  // a streamed answer is under way
    lingering,  // the last answer is out; waits for the peer to close
    closed
  };

  void greet();
  void greeted(const Status& status);
  void wait_readable();
  void on_readable();
  void advance(RequestReader::State state);
  void say_continue();
  void handle();
  void watch_peer();
  void write_answer(std::string head, Bytes body);
  void reject(int status, std::string detail);
  void answer(Response response);
  void stream(Response head);
  void flush();
  void write_flush(Exchange::Output output);
  void answer_done();
  void linger();
  void drop_input();
  void set_deadline(Millis span);
  void set_options();

  ServerLoop& loop_;
  std::shared_ptr<Transport> transport_;
  const std::string peer_address_;
  const bool refuse_;
  Phase phase_ = Phase::greeting;
  std::int64_t deadline_us_ = 0;  // 0: none
  RequestReader reader_;
  RequestReader::State read_state_ = RequestReader::State::idle;  // whose deadline is running
  std::shared_ptr<Exchange> exchange_;  // from handling to the end of the answer
  bool keep_ = false;                   // after this answer
  bool waiting_ = false;                // for input
  bool watching_ = false;
  bool writing_ = false;  // what is not a whole answer: 100 Continue, a stream's head or piece
  BodyFraming framing_ = BodyFraming::length;
  std::string head_;  // what is being written: head or chunk frame, and body
  Bytes body_;
  std::string tail_;
  std::size_t input_dropped_bytes_ = 0;
};

}  // namespace sandtrail::http
