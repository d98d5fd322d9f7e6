// SPDX-License-Identifier: Apache-2.0
#include "resolver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/limits.h"

namespace sandtrail::http {

Result<std::vector<std::string>> system_look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0) {
    return Error{ErrorCode::unavailable, "cannot resolve " + host + ": " + gai_strerror(error), ""};
  }
  std::vector<std::string> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof text, nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text);
    }
  }
  freeaddrinfo(found);
  if (addresses.empty()) {
    return Error{ErrorCode::unavailable, "cannot resolve " + host + ": no address", ""};
  }
  return addresses;
}

struct Resolver::Shared {
  struct Job {
    std::string host;
    Done done;
  };
  explicit Shared(LookUp function) : look_up(std::move(function)) {}

  const LookUp look_up;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Job> jobs;  // bounded by the requests in flight
  int threads = 0;
  int idle = 0;
  bool stopped = false;
};

Resolver::Resolver(LookUp look_up) : shared_(std::make_shared<Shared>(std::move(look_up))) {}

// getaddrinfo() cannot be interrupted and may take half a minute, so its threads are not waited
// for: they own what they touch, and find `stopped`.
Resolver::~Resolver() {
  const std::lock_guard lock(shared_->mutex);
  shared_->stopped = true;
  shared_->jobs.clear();
  shared_->changed.notify_all();
}

void Resolver::resolve(std::string host, Done done) {
  const std::lock_guard lock(shared_->mutex);
  shared_->jobs.push_back({std::move(host), std::move(done)});
  const auto idle = static_cast<std::size_t>(shared_->idle);
  if (shared_->jobs.size() > idle && shared_->threads < limits::kHttpResolverThreadsMax) {
    try {
      std::thread([shared = shared_] { serve(shared); }).detach();
      ++shared_->threads;
    } catch (const std::system_error&) {
      if (shared_->threads == 0) {
        shared_->jobs.back().done(
            Error{ErrorCode::unavailable, "cannot start a thread to resolve names", ""});
        shared_->jobs.pop_back();
      }
    }
  }
  shared_->changed.notify_one();
}

void Resolver::serve(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  for (;;) {
    ++shared->idle;
    shared->changed.wait(lock, [&] { return shared->stopped || !shared->jobs.empty(); });
    --shared->idle;
    if (shared->stopped) return;
    Shared::Job job = std::move(shared->jobs.front());
    shared->jobs.pop_front();
    lock.unlock();
    auto addresses = shared->look_up(job.host);
    lock.lock();
    if (shared->stopped) return;
    job.done(std::move(addresses));
  }
}

}  // namespace sandtrail::http
