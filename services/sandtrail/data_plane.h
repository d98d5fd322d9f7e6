// SPDX-License-Identifier: Apache-2.0
// Where gateways in other processes get the live output of this process's host.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "config/config.h"
#include "http/server.h"
#include "live_output/output_endpoint.h"
#include "live_output/output_hub.h"

namespace sandtrail {

class DataPlane {
 public:
  // Serves at host.listen, with the certificates of cluster.*; null if that is off. `hub` must
  // outlive it.
  static Result<std::unique_ptr<DataPlane>> start(const Config& config, OutputHub& hub);
  ~DataPlane();  // cuts what is open: end what runs before
  DataPlane(const DataPlane&) = delete;
  DataPlane& operator=(const DataPlane&) = delete;

  // "host:port" as gateways reach it: host.address, else host.listen with the port really taken.
  std::string address() const { return address_; }

 private:
  explicit DataPlane(OutputHub& hub) : endpoint_(hub) {}

  OutputEndpoint endpoint_;
  std::unique_ptr<http::Server> server_;
  std::string address_;
};

}  // namespace sandtrail
