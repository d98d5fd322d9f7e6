// SPDX-License-Identifier: Apache-2.0
#include "live_output/output_source.h"

namespace sandtrail {

std::unique_ptr<OutputSubscription> RoutedOutputSource::follow(const OutputTarget& target,
                                                               const OutputOffsets& from,
                                                               OutputSink sink) {
  OutputSource* const source = target.address.empty() ? builtin_ : remote_;
  if (source != nullptr) return source->follow(target, from, std::move(sink));
  sink.on_end(OutputEnd::broken);
  return std::make_unique<OutputSubscription>();
}

}  // namespace sandtrail
