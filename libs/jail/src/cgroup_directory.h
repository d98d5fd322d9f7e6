// SPDX-License-Identifier: Apache-2.0
// Reading, writing and listing below an open cgroup directory. Paths are used only to open the
// instance's directory once; afterwards the jailer has left the host's file tree.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "jail/cgroup.h"

namespace sandtrail::jail {

// <hierarchy>/<instance>, the home of our sandboxes' groups. Removed at the end of its owner if it
// is empty then.
class InstanceDirectory {
 public:
  // Made if it is missing; locked if `lock`.
  static Result<InstanceDirectory> open(const std::string& parent, const std::string& name,
                                        bool lock);
  InstanceDirectory(InstanceDirectory&&) = default;
  InstanceDirectory& operator=(InstanceDirectory&&) = default;
  ~InstanceDirectory();

  int get() const { return fd_.get(); }

 private:
  InstanceDirectory() = default;

  UniqueFd parent_;
  UniqueFd fd_;
  std::string name_;
};

Result<UniqueFd> make_directory(int parent, const std::string& name);  // conflict if it exists
UniqueFd open_directory(int parent, const std::string& name);          // invalid if missing
Status remove_directory(int parent, const std::string& name);          // missing is fine
bool file_exists(int directory, const char* name);
int write_file_errno(int directory, const char* name, std::string_view value);  // 0 or errno
Status write_file_at(int directory, const char* name, std::string_view value);
std::string read_file_at(int directory, const char* name);  // empty if unreadable
std::vector<int> read_pids(int directory);
void list_owned_directories(int directory, std::vector<std::string>& names);

// The trees. Beside v2, v1 leaves CPU time and killing to it; without controllers, v2 has only
// those.
Result<std::unique_ptr<CgroupTree>> open_v1_tree(const CgroupMounts& mounts,
                                                 const std::string& instance, bool beside_v2);
Result<std::unique_ptr<CgroupTree>> open_v2_tree(const CgroupMounts& mounts,
                                                 const std::string& instance,
                                                 bool with_controllers);
std::unique_ptr<CgroupTree> make_hybrid_tree(std::unique_ptr<CgroupTree> v1,
                                             std::unique_ptr<CgroupTree> v2);

}  // namespace sandtrail::jail
