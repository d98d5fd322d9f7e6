// SPDX-License-Identifier: Apache-2.0
#include "openapi.h"

#include "gateway/documents.h"

namespace sandtrail {
json::object openapi_document() {
  return {};
}
}  // namespace sandtrail
namespace sandtrail::gateway {
void get_openapi(Context&, const CallPtr& call) {
  static const json::value document(openapi_document());
  respond_json(*call, 200, document);
}
}  // namespace sandtrail::gateway
