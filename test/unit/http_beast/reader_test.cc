// SPDX-License-Identifier: Apache-2.0
// The readers without sockets: the same bytes give the same messages however they are cut, and
// random bytes do no harm.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/limits.h"
#include "base/random.h"
#include "request_reader.h"
#include "response_reader.h"

using namespace sandtrail;
using namespace sandtrail::http;

namespace {

constexpr std::size_t kBodyBytesMax = 1000;

// How many bytes the next feed takes, of so many that are left.
using Cut = std::function<std::size_t(std::size_t)>;

// One line a request, as a server would serve them; the last line says how it stands.
std::string read_requests(std::string_view bytes, const Cut& cut) {
  using State = RequestReader::State;
  RequestReader reader(kBodyBytesMax);
  std::string out;
  while (!bytes.empty()) {
    const std::size_t count = cut(bytes.size());
    State state = reader.feed(bytes.substr(0, count));
    bytes.remove_prefix(count);
    while (state == State::complete) {
      const bool keep = reader.keep_alive();
      const Request request = reader.take();
      out += request.method + " " + request.path + " " + request.query;
      for (const auto& [name, value] : request.fields.all()) out += " " + name + "=" + value;
      out += " |" + request.body + "|\n";
      if (!keep) return out + "close";
      state = reader.next();
    }
    if (state == State::failed) return out + std::to_string(reader.failure().status);
  }
  return out + std::to_string(static_cast<int>(reader.state()));
}

std::string read_response(std::string_view bytes, const Cut& cut, bool to_head, bool with_end) {
  using State = ResponseReader::State;
  std::string body;
  ResponseReader reader(to_head, [&](BytesView piece) {
    body += piece;
    return body.size() <= kBodyBytesMax;
  });
  State state = reader.state();
  while (!bytes.empty() && (state == State::head || state == State::body)) {
    const std::size_t count = cut(bytes.size());
    state = reader.feed(bytes.substr(0, count));
    bytes.remove_prefix(count);
  }
  if (with_end) state = reader.end();
  // How much had come when it stopped or failed depends on the cut.
  if (state == State::failed) return "failed";
  if (state == State::stopped) return "stopped";
  std::string out = std::to_string(static_cast<int>(state));
  if (state != State::head) {
    out += " " + std::to_string(reader.status());
    for (const auto& [name, value] : reader.fields().all()) out += " " + name + "=" + value;
  }
  return out + " |" + body + "|";
}

const Cut kWhole = [](std::size_t left) { return left; };
const Cut kSingle = [](std::size_t) { return 1; };

std::string compose(Random& random, const std::vector<std::string>& pieces, std::size_t count_max) {
  std::string out;
  for (std::size_t i = random.below(count_max + 1); i > 0; --i) {
    out += random.below(40) == 0 ? random.bytes(1) : pieces[random.below(pieces.size())];
  }
  return out;
}

}  // namespace

TEST_CASE("requests are the same byte by byte as at once") {
  struct Row {
    std::string bytes;
    std::string read;
  };
  const std::string post = "POST /p HTTP/1.1\r\nHost: h\r\n";
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string fields = " Host=h Transfer-Encoding=chunked ";
  const Row rows[] = {
      {"", "0"},
      {"\r\n", "0"},
      {"G", "1"},
      {"GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a b Host=h ||\n0"},
      {"\r\nGET / HTTP/1.0\r\n\r\n", "GET /  ||\nclose"},
      {post + "Content-Length: 2\r\n\r\nabGET", "POST /p  Host=h Content-Length=2 |ab|\n1"},
      {post + "Content-Length: 2\r\n\r\na", "2"},
      {chunked + "0\r\n\r\n", "POST /p " + fields + "||\n0"},
      {chunked + "0\r\n\r", "2"},
      {chunked + "0\r\nX: y\r\n\r\n", "POST /p " + fields + "||\n0"},
      {chunked + "00a;x=\"y\"\r\n0123456789\r\n1\r\n!\r\n0;z\r\n\r\n",
       "POST /p " + fields + "|0123456789!|\n0"},
      {chunked + "0\r\n\r\n" + chunked + "1\r\nx\r\n0\r\n\r\n",
       "POST /p " + fields + "||\nPOST /p " + fields + "|x|\n0"},
      {chunked + "1\r\nabcd\r\n", "400"},
      {chunked + "3e9\r\n", "413"},
      {chunked + "0\r\nContent-Length: 1\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: \x80", "400"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.bytes);
    CHECK(read_requests(row.bytes, kWhole) == row.read);
    CHECK(read_requests(row.bytes, kSingle) == row.read);
  }
}

TEST_CASE("random requests read the same however they are cut") {
  const std::vector<std::string> pieces{
      "GET / HTTP/1.1\r\nHost: h\r\n",
      "POST /x?y HTTP/1.1\r\nHost: h\r\n",
      "HTTP/1.0\r\n",
      "Content-Length: 3\r\n",
      "Content-Length: 1001\r\n",
      "Transfer-Encoding: chunked\r\n",
      "Connection: close\r\n",
      "Expect: 100-continue\r\n",
      "Host: h\r\n",
      "X: y\r\n",
      "\r\n",
      "\r\n\r\n",
      "3\r\nabc\r\n",
      "0\r\n",
      "0\r\n\r\n",
      "f",
      "abc",
      ":",
      " ",
      "\n",
      "\r",
  };
  SeededRandom random(11);
  int served = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string start = pieces[random.below(2)];
    const std::string bytes = start + compose(random, pieces, 12);
    const Cut any = [&](std::size_t left) { return 1 + random.below(left); };
    const std::string whole = read_requests(bytes, kWhole);
    CAPTURE(hex(bytes));
    REQUIRE(read_requests(bytes, kSingle) == whole);
    REQUIRE(read_requests(bytes, any) == whole);
    served += whole.find('\n') != std::string::npos;
  }
  CHECK(served > 2000);
}

TEST_CASE("random responses read the same however they are cut") {
  const std::vector<std::string> pieces{"HTTP/1.1 200 OK\r\n",
                                        "HTTP/1.0 404 No\r\n",
                                        "HTTP/1.1 100 Continue\r\n\r\n",
                                        "HTTP/1.1 204 No Content\r\n",
                                        "Content-Length: 3\r\n",
                                        "Transfer-Encoding: chunked\r\n",
                                        "Connection: close\r\n",
                                        "X: y\r\n",
                                        "\r\n",
                                        "\r\n\r\n",
                                        "3\r\nabc\r\n",
                                        "0\r\n",
                                        "0\r\n\r\n",
                                        "abc",
                                        ":",
                                        " ",
                                        "\n",
                                        "\r",
                                        std::string(600, 'b')};
  SeededRandom random(12);
  int completed = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string bytes = pieces[random.below(4)] + compose(random, pieces, 10);
    const Cut any = [&](std::size_t left) { return 1 + random.below(left); };
    const bool to_head = random.below(8) == 0;
    const bool with_end = random.below(2) == 0;
    const std::string whole = read_response(bytes, kWhole, to_head, with_end);
    CAPTURE(hex(bytes));
    REQUIRE(read_response(bytes, kSingle, to_head, with_end) == whole);
    REQUIRE(read_response(bytes, any, to_head, with_end) == whole);
    completed += whole.starts_with("2 ");
  }
  CHECK(completed > 1000);
}

TEST_CASE("a reader holds no more than its limits") {
  // Any of these could grow for ever if it were not for a limit.
  const std::string posts = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string& begin : {std::string("GET /"), std::string("GET / HTTP/1.1\r\nX: "),
                                   posts + "1;", posts + "0\r\nX: "}) {
    CAPTURE(begin);
    RequestReader reader(kBodyBytesMax);
    std::size_t fed = 0;
    reader.feed(begin);
    while (reader.state() != RequestReader::State::failed && fed < 1'000'000) {
      reader.feed(std::string(100, 'x'));
      fed += 100;
    }
    CHECK(fed <= limits::kHttpHeaderBytesMax + 100);
  }
}

TEST_CASE("what a request reader holds behind a head counts, until it is taken or dropped") {
  using State = RequestReader::State;
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\n";
  const auto budget = std::make_shared<BodyBudget>(100);
  BodyReservation other(budget);
  RequestReader reader(kBodyBytesMax, BodyReservation(budget));
  CHECK(reader.feed(head + std::string(50, 'b')) == State::body);
  CHECK_FALSE(other.resize(51));
  CHECK(other.resize(50));
  CHECK(other.resize(30));
  CHECK(reader.feed(std::string(10, 'b') + "GET ") == State::complete);
  CHECK_FALSE(other.resize(37));
  {
    const BodyReservation taken = reader.take_reservation();
    CHECK(reader.take().body.size() == 60);
    CHECK_FALSE(other.resize(37));
  }
  CHECK(other.resize(96));
  CHECK(reader.next() == State::head);
  CHECK(other.resize(100));
  CHECK(reader.feed("/ HTTP/1.1\r\nHost: a\r\n\r\n") == State::complete);
  reader.take();
  CHECK(reader.next() == State::idle);
  CHECK(reader.feed(head + "b") == State::failed);
  CHECK(reader.failure().status == 503);
  CHECK(other.resize(0));
  CHECK(other.resize(100));
}
