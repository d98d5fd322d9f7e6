// SPDX-License-Identifier: Apache-2.0
// The ObjectStore port over a directory of files.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "store/object_store.h"

namespace sandtrail {

// Opens or creates the store in directory `path`; it and what is in it get modes 0700 and 0600.
// Several processes may use one directory at a time. Layout:
//
//   objects/<first two hex digits of sha256(name)>/<name>    complete objects, never changed
//   incoming/<pid>-<number>                                  being written, locked (flock)
//
// Files in `incoming` that nobody holds are left over from a crash and are removed here.
// After a failed sync of a directory the store refuses puts and removes until it is opened again.
Result<std::unique_ptr<ObjectStore>> open_directory_object_store(const std::string& path);

// Reads every object of the store in `path`, in the order of their names within its directories,
// until `visit` fails; also beside processes that use it, and changes nothing. One that is removed
// meanwhile is passed over. Nothing to visit if there is no store.
Status visit_directory_objects(
    const std::string& path,
    const std::function<Status(const std::string& name, BytesView content)>& visit);

}  // namespace sandtrail
