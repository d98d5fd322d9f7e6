// SPDX-License-Identifier: Apache-2.0
// What only the directory adapter can show: what is on the disk.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>

#include "base/fd.h"
#include "base/limits.h"
#include "disk.h"
#include "store_dir/object_store.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

std::unique_ptr<ObjectStore> open_objects(const std::string& path) {
  auto opened = open_directory_object_store(path);
  REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? std::string() : opened.error().text()));
  return std::move(*opened);
}

}  // namespace

TEST_CASE("object directory: files and directories are private, at the place the header says") {
  const TemporaryDirectory dir;
  const std::string root = dir.path + "/a/objects";
  const auto store = open_objects(root);
  REQUIRE(store->put("evt_1", "content").ok());
  // printf evt_1 | sha256sum
  const std::string file = root + "/objects/7d/evt_1";
  CHECK(content_of(file) == "content");
  CHECK(mode_of(file) == 0600);
  for (const std::string& directory :
       {dir.path + "/a", root, root + "/objects", root + "/incoming", root + "/objects/7d"}) {
    CHECK(mode_of(directory) == 0700);
  }
  REQUIRE(files_below(root).size() == 1);
  REQUIRE(store->remove("evt_1").ok());
  CHECK(files_below(root).empty());
}

TEST_CASE("object directory: opening removes what a crash left, and nothing somebody writes") {
  const TemporaryDirectory dir;
  REQUIRE(open_objects(dir.path)->put("kept", "1").ok());
  overwrite(dir.path + "/incoming/17-0", "half an ob");
  overwrite(dir.path + "/incoming/17-1", "");
  const std::string busy = dir.path + "/incoming/18-0";
  overwrite(busy, "still being written");
  const UniqueFd writer(::open(busy.c_str(), O_WRONLY | O_CLOEXEC));
  REQUIRE(::flock(writer.get(), LOCK_EX) == 0);

  const auto store = open_objects(dir.path);
  CHECK(files_below(dir.path + "/incoming") == std::vector<std::string>{busy});
  CHECK(*store->get("kept") == "1");
}

TEST_CASE("object directory: names that others use for incoming files are passed over") {
  const TemporaryDirectory dir;
  const auto store = open_objects(dir.path);
  const std::string prefix = dir.path + "/incoming/" + std::to_string(::getpid()) + "-";
  for (int i = 0; i < 5; ++i) overwrite(prefix + std::to_string(i), "of another pid name space");
  CHECK(store->put("a", "1").ok());
  CHECK(*store->get("a") == "1");
  CHECK(files_below(dir.path + "/incoming").size() == 5);
}

TEST_CASE("object directory: two stores over one directory agree") {
  const TemporaryDirectory dir;
  const auto one = open_objects(dir.path);
  const auto two = open_objects(dir.path);
  REQUIRE(one->put("a", "1").ok());
  CHECK(*two->get("a") == "1");
  CHECK(two->put("a", "1").ok());
  CHECK(two->put("a", "2").error().code == ErrorCode::conflict);
  REQUIRE(two->remove("a").ok());
  CHECK(one->get("a").error().code == ErrorCode::not_found);
}

TEST_CASE("object directory: a file longer than any object is corrupt") {
  const TemporaryDirectory dir;
  const auto store = open_objects(dir.path);
  REQUIRE(store->put("a", "1").ok());
  const auto files = files_below(dir.path + "/objects");
  REQUIRE(files.size() == 1);
  std::filesystem::resize_file(files[0], limits::kObjectBytesMax + 1);
  CHECK(store->get("a").error().code == ErrorCode::corrupt);
  CHECK(store->put("a", "1").error().code == ErrorCode::corrupt);
}

TEST_CASE("object directory: a path that cannot be is an error") {
  const TemporaryDirectory dir;
  overwrite(dir.path + "/file", "x");
  CHECK_FALSE(open_directory_object_store(dir.path + "/file").ok());
  CHECK_FALSE(open_directory_object_store(dir.path + "/file/objects").ok());
}
