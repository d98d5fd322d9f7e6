// SPDX-License-Identifier: Apache-2.0
#include "gateway/gateway.h"

#include <atomic>

#include "call.h"
#include "routes.h"

namespace sandtrail {

using gateway::Context;

struct Gateway::Impl final : Observer {
  Impl(GatewayOptions options, GatewayParts parts)
      : context(std::move(options), std::move(parts)) {}

  void on_committed(const PartitionView& view, const std::vector<Folded>& batch) override {
    context.streams.on_committed(view, batch);
    context.outputs.on_committed(view, batch);
    context.waits.on_committed(batch);
  }

  http::Handler handler(std::span<const gateway::Route> routes) {
    return [this, routes](http::Request request, std::shared_ptr<http::Responder> responder) {
      gateway::dispatch(context, routes, std::move(request), std::move(responder));
    };
  }

  Context context;
  std::atomic<bool> stopped{false};
};

Gateway::Gateway(GatewayOptions options, GatewayParts parts)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(parts))) {}

Gateway::~Gateway() {
  stop();
}

http::Handler Gateway::public_handler() {
  ST_ASSERT(impl_->context.serves_api());
  return impl_->handler(gateway::public_routes());
}
http::Handler Gateway::admin_handler() {
  return impl_->handler(gateway::admin_routes());
}
http::Handler Gateway::operator_handler() {
  return impl_->handler(impl_->context.serves_api() ? gateway::operator_routes()
                                                    : gateway::process_operator_routes());
}

Observer* Gateway::observer() {
  return impl_.get();
}

void Gateway::tick() {
  impl_->context.timers.run_due();
}

void Gateway::end_waiting() {
  impl_->context.waits.stop();
  impl_->context.streams.stop();
  impl_->context.outputs.stop();
}

void Gateway::stop() {
  if (impl_->stopped.exchange(true)) return;
  end_waiting();
  impl_->context.timers.stop();
  impl_->context.denied.flush();
}

std::string fresh_request_id(Random& random) {
  return "req_" + crockford(random.bytes(sizeof(IdBytes)));
}

http::Response Gateway::reject(int status, const std::string& detail,
                               const std::string& request_id) {
  std::string_view code = "internal";
  switch (status) {
    case 400:
      code = "bad_request";
      break;
    case 503:
      code = "overloaded";
      break;
    default:
      for (const auto& kind : gateway::problem_kinds()) {
        if (kind.status == status) code = kind.code;
      }
  }
  http::Response response = gateway::to_response({code, detail, {}, {}}, "", request_id);
  response.fields.set("Request-Id", request_id);
  return response;
}

}  // namespace sandtrail
