// SPDX-License-Identifier: Apache-2.0
#include "paths.h"

#include <unistd.h>

#include <array>

#include "auditor/auditor_role.h"
#include "gateway/read_model.h"
#include "launcher/launcher_role.h"
#include "webhooks/webhooks_role.h"

namespace sandtrail {

std::string installed_file(const std::string& name) {
  std::array<char, 4096> buffer{};
  const ssize_t length = ::readlink("/proc/self/exe", buffer.data(), buffer.size() - 1);
  const std::string program(buffer.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  const std::string directory = program.substr(0, program.find_last_of('/'));
  const std::string shared = directory + "/../share/sandtrail/" + name;
  return ::access(shared.c_str(), R_OK) == 0 ? shared : directory + "/" + name;
}

std::vector<std::unique_ptr<Projection>> make_projections() {
  std::vector<std::unique_ptr<Projection>> out;
  out.push_back(make_launcher_projection());
  out.push_back(make_webhooks_projection());
  out.push_back(make_auditor_projection());
  out.push_back(std::make_unique<ReadModel>());
  return out;
}

}  // namespace sandtrail
