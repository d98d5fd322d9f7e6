// SPDX-License-Identifier: Apache-2.0
#include "obs/metrics.h"

#include <doctest/doctest.h>

#include <thread>

#include "base/limits.h"

namespace sandtrail {
namespace {

TEST_CASE("counters, gauges and histograms appear in the text format") {
  Metrics metrics;
  const Counter hits = metrics.counter("http_requests_total", "Requests.", {{"code", "200"}});
  hits.add();
  hits.add(2);
  hits.add(-5);
  metrics.gauge("queue_records", "Waiting.").set(7);
  const Histogram latency = metrics.histogram("wait_seconds", "Waits.", {0.1, 1});
  latency.observe(0.05);
  latency.observe(0.5);
  latency.observe(50);

  const std::string text = metrics.exposition();
  for (const char* line : {
           "# HELP sandtrail_http_requests_total Requests.\n",
           "# TYPE sandtrail_http_requests_total counter\n",
           "sandtrail_http_requests_total{code=\"200\"} 3\n",
           "# TYPE sandtrail_queue_records gauge\n",
           "sandtrail_queue_records 7\n",
           "# TYPE sandtrail_wait_seconds histogram\n",
           "sandtrail_wait_seconds_bucket{le=\"0.1\"} 1\n",
           "sandtrail_wait_seconds_bucket{le=\"1\"} 2\n",
           "sandtrail_wait_seconds_bucket{le=\"+Inf\"} 3\n",
           "sandtrail_wait_seconds_count 3\n",
       }) {
    CAPTURE(line);
    CHECK(text.find(line) != std::string::npos);
  }
}

TEST_CASE("values of labels are escaped") {
  Metrics metrics;
  metrics.counter("odd_total", "Odd.", {{"name", "a\"b\\c\nd"}}).add();
  CHECK(metrics.exposition().find(R"(sandtrail_odd_total{name="a\"b\\c\nd"} 1)") !=
        std::string::npos);
}

TEST_CASE("asking again for a series gives the same series") {
  Metrics metrics;
  metrics.counter("x_total", "X.", {{"a", "1"}}).add();
  metrics.counter("x_total", "X.", {{"a", "1"}}).add();
  metrics.counter("x_total", "X.", {{"a", "2"}}).add();
  CHECK(metrics.counter("x_total", "X.", {{"a", "1"}}).value() == 2);
  CHECK(metrics.counter("x_total", "X.", {{"a", "2"}}).value() == 1);
}

TEST_CASE("past the limit a new series is refused and counted, and the old ones go on") {
  Metrics metrics;
  Counter last;
  // One series is the registry's own.
  for (std::size_t i = 1; i < limits::kMetricSeriesMax; ++i) {
    last = metrics.counter("x_total", "X.", {{"a", std::to_string(i)}});
  }
  last.add();
  CHECK(last.value() == 1);
  const Counter refused = metrics.counter("x_total", "X.", {{"a", "one too many"}});
  refused.add();
  CHECK(refused.value() == 0);
  metrics.histogram("y_seconds", "Y.", duration_buckets()).observe(1);
  CHECK(metrics
            .counter("metric_series_refused_total",
                     "Series that were asked for beyond the limit of one process.")
            .value() == 2);
}

TEST_CASE("mirrored gauges are refreshed before each exposition while their handle lives") {
  Metrics metrics;
  const Gauge gauge = metrics.gauge("lag_records", "Lag.");
  double lag = 1;
  auto handle = metrics.before_exposition([&] { gauge.set(lag++); });
  CHECK(metrics.exposition().find("sandtrail_lag_records 1\n") != std::string::npos);
  CHECK(metrics.exposition().find("sandtrail_lag_records 2\n") != std::string::npos);
  handle.reset();
  CHECK(metrics.exposition().find("sandtrail_lag_records 2\n") != std::string::npos);
}

TEST_CASE("a refresh handle may outlive the registry") {
  auto metrics = std::make_unique<Metrics>();
  auto handle = metrics->before_exposition([] {});
  metrics.reset();
  handle.reset();
}

TEST_CASE("handles without a series do nothing") {
  const Counter counter;
  counter.add();
  CHECK(counter.value() == 0);
  Gauge().set(1);
  Histogram().observe(1);
}

TEST_CASE("series are made, changed and exposed from many threads at once") {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&metrics, t] {
      for (int i = 0; i < 200; ++i) {
        metrics.counter("busy_total", "B.", {{"thread", std::to_string(t)}}).add();
        if (i % 50 == 0) CHECK_FALSE(metrics.exposition().empty());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(metrics.counter("busy_total", "B.", {{"thread", "0"}}).value() == 200);
}

}  // namespace
}  // namespace sandtrail
