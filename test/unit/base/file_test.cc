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
