// SPDX-License-Identifier: Apache-2.0
// The one table of what the gateway answers. Routing, authentication, roles, limits, the names of
// audited actions and the OpenAPI document all come from it.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "auth.h"
#include "call.h"

namespace sandtrail::gateway {

enum class Access {
  open,  // nobody is asked
  key,   // an API key with the route's role
  op,    // an operator
};

struct Parameter {
  std::string_view name;
  std::string_view type;  // of JSON Schema: "string", "integer"
  std::string_view description;
};

// What a handler gets beside the call: the partition of the organisation, where the route has one.
// Runs on that partition's thread, so it must not block.
using RunAtHome = void (*)(Context&, const CallPtr&, const PartitionView&);
// Without one: runs on the executor (operators) or the I/O thread (open routes).
using RunAnywhere = void (*)(Context&, const CallPtr&);
// Checks the body before anything else is done; sets Call::prepared. On the I/O thread.
using Prepare = std::optional<Problem> (*)(Context&, Call&);

struct Route {
  std::string_view method;
  std::string_view path;  // "{…}" stands for one segment
  std::string_view name;  // operationId
  std::string_view summary;
  Access access = Access::key;
  KeyRole role = KeyRole::viewer;
  std::string_view action = "";    // in the audit log, also of refused attempts
  std::size_t body_bytes_max = 0;  // 0: takes no body
  bool body_optional = false;
  std::string_view request = "";  // names of schemas; empty: none
  std::string_view response = "";
  int status = 200;             // of success
  bool idempotent = false;      // honours Idempotency-Key
  bool while_starting = false;  // answers before the log is there
  std::vector<Parameter> parameters = {};
  Prepare prepare = nullptr;
  RunAtHome run_at_home = nullptr;  // exactly one of the two
  RunAnywhere run_anywhere = nullptr;

  bool reads() const { return method == "GET"; }
};

std::span<const Route> public_routes();
std::span<const Route> admin_routes();
std::span<const Route> operator_routes();
// Those of them that concern any process, whatever its role.
std::span<const Route> process_operator_routes();

// Routes and checks one request, then lets the route's handler answer.
void dispatch(Context& context, std::span<const Route> routes, http::Request request,
              std::shared_ptr<http::Responder> responder);

}  // namespace sandtrail::gateway
