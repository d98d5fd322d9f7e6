// SPDX-License-Identifier: Apache-2.0
// Names to addresses on own threads, by a function that may block. Standard library and POSIX only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace sandtrail::http {

// Asio's own resolver has one thread an io_context, so one name server that does not answer would
// stop every other lookup. Here up to limits::kHttpResolverThreadsMax wait at once.
//
// Thread-safe. The destructor drops what is under way without waiting for name servers, and no
// callback runs after it.
class Resolver {
 public:
  using LookUp = std::function<Result<std::vector<std::string>>(const std::string& host)>;
  explicit Resolver(LookUp look_up);
  ~Resolver();
  using Done = std::function<void(Result<std::vector<std::string>>)>;
  // `done` runs on a thread of the resolver, under its lock: it may only hand the result on.
  void resolve(std::string host, Done done);

 private:
  struct Shared;
  static void serve(const std::shared_ptr<Shared>& shared);
  std::shared_ptr<Shared> shared_;
};

// By getaddrinfo(): textual addresses in the order of the system's preference; unavailable if there
// are none.
Result<std::vector<std::string>> system_look_up(const std::string& host);

}  // namespace sandtrail::http
