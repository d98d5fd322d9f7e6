// SPDX-License-Identifier: Apache-2.0
#include "obs/metrics.h"

#include <prometheus/check_names.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <list>
#include <mutex>
#include <set>

#include "base/assert.h"
#include "base/limits.h"

namespace sandtrail {

void Counter::add(double by) const {
  if (series_ != nullptr && by >= 0) series_->Increment(by);
}
double Counter::value() const {
  return series_ == nullptr ? 0 : series_->Value();
}
void Gauge::set(double value) const {
  if (series_ != nullptr) series_->Set(value);
}
void Gauge::add(double by) const {
  if (series_ != nullptr) series_->Increment(by);
}
double Gauge::value() const {
  return series_ == nullptr ? 0 : series_->Value();
}
void Histogram::observe(double value) const {
  if (series_ != nullptr) series_->Observe(value);
}

std::vector<double> duration_buckets() {
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
}

struct Metrics::State {
  enum class Kind { counter, gauge, histogram };
  struct Shape {
    Kind kind;
    std::set<std::string> label_names;
    std::vector<double> upper_bounds;
    std::set<MetricLabels> series;
  };

  // False: one series too many.
  bool admit(const std::string& name, Kind kind, const MetricLabels& labels,
             const std::vector<double>& upper_bounds) {
    std::set<std::string> label_names;
    for (const auto& [label, value] : labels) {
      ST_ASSERT(prometheus::CheckLabelName(label));
      label_names.insert(label);
    }
    ST_ASSERT(prometheus::CheckMetricName(name));
    const auto [found, added] =
        shapes.try_emplace(name, Shape{kind, label_names, upper_bounds, {}});
    Shape& shape = found->second;
    ST_ASSERT(shape.kind == kind && shape.label_names == label_names &&
              shape.upper_bounds == upper_bounds);
    if (shape.series.contains(labels)) return true;
    if (series_count >= limits::kMetricSeriesMax) {
      refused.add();
      return false;
    }
    shape.series.insert(labels);
    ++series_count;
    return true;
  }

  // One call to bring a mirrored gauge up to date.
  struct Refresh {
    std::mutex mutex;  // held while it runs
    std::function<void()> run;
  };

  std::mutex mutex;
  prometheus::Registry registry;
  std::map<std::string, Shape> shapes;
  std::size_t series_count = 0;
  Counter refused;
  std::list<std::shared_ptr<Refresh>> refreshes;
};

namespace {

std::string full_name(std::string_view name) {
  return "sandtrail_" + std::string(name);
}

}  // namespace

Metrics::Metrics() : state_(std::make_shared<State>()) {
  state_->refused = counter("metric_series_refused_total",
                            "Series that were asked for beyond the limit of one process.");
}
Metrics::~Metrics() = default;

Counter Metrics::counter(std::string_view name, std::string_view help, const MetricLabels& labels) {
  const std::lock_guard lock(state_->mutex);
  const std::string full = full_name(name);
  if (!state_->admit(full, State::Kind::counter, labels, {})) return {};
  auto& family =
      prometheus::BuildCounter().Name(full).Help(std::string(help)).Register(state_->registry);
  return Counter(&family.Add(labels));
}

Gauge Metrics::gauge(std::string_view name, std::string_view help, const MetricLabels& labels) {
  const std::lock_guard lock(state_->mutex);
  const std::string full = full_name(name);
  if (!state_->admit(full, State::Kind::gauge, labels, {})) return {};
  auto& family =
      prometheus::BuildGauge().Name(full).Help(std::string(help)).Register(state_->registry);
  return Gauge(&family.Add(labels));
}

Histogram Metrics::histogram(std::string_view name, std::string_view help,
                             const std::vector<double>& upper_bounds, const MetricLabels& labels) {
  const std::lock_guard lock(state_->mutex);
  const std::string full = full_name(name);
  if (!state_->admit(full, State::Kind::histogram, labels, upper_bounds)) return {};
  auto& family =
      prometheus::BuildHistogram().Name(full).Help(std::string(help)).Register(state_->registry);
  return Histogram(&family.Add(labels, upper_bounds));
}

std::shared_ptr<void> Metrics::before_exposition(std::function<void()> refresh) {
  auto entry = std::make_shared<State::Refresh>();
  entry->run = std::move(refresh);
  {
    const std::lock_guard lock(state_->mutex);
    state_->refreshes.push_back(entry);
  }
  // The handle may outlive the registry.
  return {entry.get(), [entry, weak = std::weak_ptr(state_)](void*) {
            if (const auto state = weak.lock()) {
              const std::lock_guard lock(state->mutex);
              state->refreshes.remove(entry);
            }
            const std::lock_guard running(entry->mutex);
            entry->run = nullptr;
          }};
}

std::string Metrics::exposition() {
  std::list<std::shared_ptr<State::Refresh>> refreshes;
  {
    const std::lock_guard lock(state_->mutex);
    refreshes = state_->refreshes;
  }
  for (const auto& entry : refreshes) {
    const std::lock_guard running(entry->mutex);
    if (entry->run) entry->run();
  }
  // Collect() takes the registry's own locks.
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace sandtrail
