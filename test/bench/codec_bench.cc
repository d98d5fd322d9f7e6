// SPDX-License-Identifier: Apache-2.0
// Records to events and back, beside simdjson and Boost.JSON on the same bytes: simdjson's
// on-demand reader takes every name and value into a value of its own, and Boost.JSON writes it
// back. Ours also reads and writes ids, times, base64 and the headers, which the baseline leaves as
// text. By the CPU time of the one thread.
//
//   codec_bench [turns=5]
#include <simdjson.h>

#include <boost/json.hpp>
#include <cstdlib>

#include "execution_history.h"
#include "figures.h"
#include "wire/event_codec.h"

using namespace sandtrail;

namespace {

constexpr std::size_t kRecords = 20'000;

boost::json::value owned(simdjson::ondemand::value in) {
  switch (in.type()) {
    case simdjson::ondemand::json_type::object: {
      boost::json::object out;
      for (auto field : in.get_object()) {
        const std::string_view name = field.unescaped_key();
        out.emplace(name, owned(field.value()));
      }
      return out;
    }
    case simdjson::ondemand::json_type::array: {
      boost::json::array out;
      for (auto item : in.get_array()) out.push_back(owned(item.value()));
      return out;
    }
    case simdjson::ondemand::json_type::string:
      return boost::json::value(std::string_view(in.get_string()));
    case simdjson::ondemand::json_type::number:
      return std::int64_t(in.get_int64());
    case simdjson::ondemand::json_type::boolean:
      return bool(in.get_bool());
    default:
      return nullptr;
  }
}

template <typename Work>
double records_per_second(const Work& work) {
  const std::int64_t start_us = bench::thread_cpu_us();
  work();
  const auto taken_us = static_cast<double>(bench::thread_cpu_us() - start_us);
  return static_cast<double>(kRecords) * 1e6 / taken_us;
}

void by_others(const std::vector<Record>& records, bool with_headers) {
  simdjson::ondemand::parser parser;
  std::size_t bytes = 0;
  for (const Record& record : records) {
    const simdjson::padded_string padded(record.value);
    auto document = parser.iterate(padded);
    const boost::json::value read = owned(document.get_value());
    Record out;
    out.value = boost::json::serialize(read);
    if (with_headers) {
      out.key = record.key;
      out.headers = record.headers;
    }
    bytes += out.value.size();
  }
  if (bytes == 0) std::abort();
}

void by_us(const std::vector<Record>& records) {
  for (const Record& record : records) {
    const auto event = decode_event(record);
    const auto again = encode_event(std::get<Event>(event));
    if (!again.ok() || again->value.size() != record.value.size()) std::abort();
  }
}

}  // namespace

int main(int count, char** arguments) {
  const int turns = count > 1 ? std::atoi(arguments[1]) : 5;
  bench::ExecutionHistory history(7);
  std::vector<Record> records;
  for (std::size_t i = 0; i < kRecords; ++i) {
    auto record = encode_event(history.next());
    if (!record.ok()) std::abort();
    records.push_back(std::move(record).value());
  }
  std::vector<double> ours;
  std::vector<double> theirs;
  for (int turn = 0; turn <= turns; ++turn) {  // the first warms up
    ours.push_back(records_per_second([&] { by_us(records); }));
    theirs.push_back(records_per_second([&] { by_others(records, true); }));
  }
  ours.erase(ours.begin());
  theirs.erase(theirs.begin());
  bench::print_row("records decoded and encoded", "records/s", bench::median(ours),
                   "simdjson on-demand to values, Boost.JSON back", bench::median(theirs));
}
