// SPDX-License-Identifier: Apache-2.0
// Control groups behind one interface; v1, v2 and hybrid hosts (v1 controllers, v2 tree without).
//
// Every sandbox gets a group of its own at <tree>/<instance>/<name>. The instance directory is
// locked (flock) by its owner, so two jailers never share one. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "jail/cgroup_format.h"

namespace sandtrail::jail {

// The groups of one sandbox. Destruction leaves them as they are: remove() is explicit, so that a
// failure is seen.
class Cgroup {
 public:
  virtual ~Cgroup() = default;
  // A directory for CLONE_INTO_CGROUP, or -1 where there is no v2 tree. Owned by this object.
  virtual int clone_fd() const = 0;
  // Moves the calling process into every group clone_fd() does not cover.
  virtual Status enter() const = 0;
  // What cannot be read counts as 0.
  virtual CgroupUsage usage() const = 0;
  // SIGKILL to every process in it, forks in flight included.
  virtual Status kill_all() = 0;
  // Fails while processes remain. Repeatable.
  virtual Status remove() = 0;
};

class CgroupTree {
 public:
  virtual ~CgroupTree() = default;
  // conflict: a group of that name is left over. On any error nothing is left behind.
  virtual Result<std::unique_ptr<Cgroup>> create(const std::string& name,
                                                 const CgroupLimits& limits) = 0;
  // An existing (left-over) group, without changing its limits.
  virtual std::unique_ptr<Cgroup> adopt(const std::string& name) = 0;
  // Owned names (is_owned_name) that exist in any hierarchy.
  virtual std::vector<std::string> list() const = 0;
  // "cgroup.memory", "cgroup.pids", "cgroup.cpu", "cgroup.swap".
  virtual std::vector<std::string> controls() const = 0;
  virtual std::vector<std::string> controls_missing() const = 0;
};

// Opens or makes the instance's directories. Fails if memory or pids cannot be limited here: a jail
// without them is none. conflict: another process owns the instance.
Result<std::unique_ptr<CgroupTree>> open_cgroup_tree(const std::string& instance);

// kill_all() until the group is empty (bounded), then remove().
Status reap_cgroup(Cgroup& group);

}  // namespace sandtrail::jail
