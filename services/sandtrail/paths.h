// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/projection.h"

namespace sandtrail {

// A data file that is installed with the program: ../share/sandtrail/<name> beside its directory,
// else <directory>/<name>, as in the build tree.
std::string installed_file(const std::string& name);

// Every projection of every role: what a server keeps, and what a replay has to make again.
std::vector<std::unique_ptr<Projection>> make_projections();

}  // namespace sandtrail
