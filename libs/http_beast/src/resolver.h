// SPDX-License-Identifier: Apache-2.0
// Names to addresses, by the system's resolver on own threads. Standard library and POSIX only.
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
  Resolver();
  ~Resolver();
  // Textual addresses in the order of the system's preference; unavailable if there are none.
  using Done = std::function<void(Result<std::vector<std::string>>)>;
  // `done` runs on a thread of the resolver, under its lock: it may only hand the result on.
  void resolve(std::string host, Done done);

 private:
  struct Shared;
  static void serve(const std::shared_ptr<Shared>& shared);
  std::shared_ptr<Shared> shared_;
};

}  // namespace sandtrail::http
