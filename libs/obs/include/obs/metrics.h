// SPDX-License-Identifier: Apache-2.0
// Metrics for Prometheus: counters, gauges and histograms in one injected registry.
//
// Names are given without the prefix "sandtrail_", which is added here, and follow Prometheus'
// naming rules: base units, "_total", "_seconds", "_bytes", "_ratio", "_info". Labels have few
// values; never an organisation's or an execution's id.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace sandtrail {

using MetricLabels = std::map<std::string, std::string>;

// Handles of one series each; copies name the same series. Thread-safe, and valid while the
// registry lives. One without a series (default, or refused) does nothing.
class Counter {
 public:
  Counter() = default;
  void add(double by = 1) const;  // by >= 0, else nothing happens
  double value() const;

 private:
  friend class Metrics;
  explicit Counter(prometheus::Counter* series) : series_(series) {}
  prometheus::Counter* series_ = nullptr;
};

class Gauge {
 public:
  Gauge() = default;
  void set(double value) const;
  void add(double by) const;
  double value() const;

 private:
  friend class Metrics;
  explicit Gauge(prometheus::Gauge* series) : series_(series) {}
  prometheus::Gauge* series_ = nullptr;
};

class Histogram {
 public:
  Histogram() = default;
  void observe(double value) const;

 private:
  friend class Metrics;
  explicit Histogram(prometheus::Histogram* series) : series_(series) {}
  prometheus::Histogram* series_ = nullptr;
};

// Upper bounds from 1 ms to 60 s, for durations in seconds.
std::vector<double> duration_buckets();

// Thread-safe.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The series of that name and labels, made at the first call. Asserted: the name and the labels'
  // names are valid, and a name has one kind, one set of label names and one set of buckets. Past
  // limits::kMetricSeriesMax series in all, new ones are refused: their handles do nothing, and
  // sandtrail_metric_series_refused_total counts them.
  Counter counter(std::string_view name, std::string_view help, const MetricLabels& labels = {});
  Gauge gauge(std::string_view name, std::string_view help, const MetricLabels& labels = {});
  Histogram histogram(std::string_view name, std::string_view help,
                      const std::vector<double>& upper_bounds, const MetricLabels& labels = {});

  // Calls `refresh` before each exposition, to set gauges that mirror something else, until the
  // returned handle is destroyed (which waits for a running call). It must not block.
  std::shared_ptr<void> before_exposition(std::function<void()> refresh);

  // Text exposition format 0.0.4.
  std::string exposition();
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace sandtrail
