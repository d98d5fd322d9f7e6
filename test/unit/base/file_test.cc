// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

using namespace sandtrail;

namespace {
struct TemporaryDirectory {
  std::string path;
  TemporaryDirectory() {
    char name[] = "/tmp/sandtrail-file-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path); }
};
}  // namespace

TEST_CASE("files: replaced as a whole, read back, limits and modes hold") {
  const TemporaryDirectory dir;
  const std::string path = dir.path + "/a/b/key";
  REQUIRE(make_directories(dir.path + "/a/b", 0700).ok());
  REQUIRE(make_directories(dir.path + "/a/b", 0700).ok());
  REQUIRE(write_file_durably(path, "one", 0600).ok());
  REQUIRE(write_file_durably(path, "two", 0600).ok());
  CHECK(*read_file(path, 10) == "two");
  CHECK(*read_secret_file(path, 10) == "two");
  CHECK(read_file(path, 2).error().code == ErrorCode::overloaded);
  CHECK(read_file(dir.path + "/none", 2).error().code == ErrorCode::not_found);
  ::chmod(path.c_str(), 0640);
  CHECK(read_secret_file(path, 10).error().code == ErrorCode::denied);
  CHECK(write_file_durably(dir.path + "/none/x", "x", 0600).error().code == ErrorCode::not_found);
  CHECK(sync_directory(dir.path).ok());
  CHECK(sync_directory(dir.path + "/none").error().code == ErrorCode::not_found);
  CHECK(make_directories(path + "/below_a_file", 0700).error().code == ErrorCode::internal);
}

TEST_CASE("files: one that is there is never replaced by a new one") {
  const TemporaryDirectory dir;
  const std::string path = dir.path + "/key";
  REQUIRE(create_file_durably(path, "one", 0600).ok());
  CHECK(create_file_durably(path, "two", 0600).error().code == ErrorCode::conflict);
  CHECK(*read_secret_file(path, 10) == "one");
  CHECK_FALSE(std::filesystem::exists(path + ".new"));
  std::filesystem::create_symlink(dir.path + "/nowhere", dir.path + "/link");
  CHECK(create_file_durably(dir.path + "/link", "x", 0600).error().code == ErrorCode::conflict);
  CHECK_FALSE(std::filesystem::exists(dir.path + "/nowhere"));
  // Somebody else's half of one is not touched.
  REQUIRE(write_file_durably(dir.path + "/other.new", "half", 0600).ok());
  CHECK(create_file_durably(dir.path + "/other", "x", 0600).error().code == ErrorCode::conflict);
  CHECK(*read_file(dir.path + "/other.new", 10) == "half");
  CHECK(create_file_durably(dir.path + "/none/x", "x", 0600).error().code == ErrorCode::not_found);
}
