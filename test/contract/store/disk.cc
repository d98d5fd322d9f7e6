// SPDX-License-Identifier: Apache-2.0
#include "disk.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/fd.h"

namespace sandtrail::test {
namespace {

// Before any thread starts, so that all share it: mounts of this process vanish with it, also when
// it crashes.
struct PrivateMounts {
  int error = 0;
  PrivateMounts() {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      error = errno;
    }
  }
};
const PrivateMounts private_mounts;

std::string new_directory() {
  char name[] = "/tmp/sandtrail-store-XXXXXX";
  REQUIRE(::mkdtemp(name) != nullptr);
  return name;
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() : path(new_directory()) {}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

SmallDisk::SmallDisk(std::size_t bytes) {
  REQUIRE_MESSAGE(private_mounts.error == 0, "these tests mount a small disk: run them as root");
  const std::string options = "size=" + std::to_string(bytes);
  const int result = ::mount("tmpfs", path().c_str(), "tmpfs", 0, options.c_str());
  REQUIRE_MESSAGE(result == 0, std::string(std::strerror(errno)));
}

SmallDisk::~SmallDisk() {
  ::umount2(path().c_str(), MNT_DETACH);
}

void SmallDisk::fill() {
  const UniqueFd fd(::open(filler().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  REQUIRE(fd.valid());
  for (std::size_t size = 1u << 20; size > 0; size /= 2) {
    const Bytes block(size, 'f');
    while (::write(fd.get(), block.data(), block.size()) == static_cast<ssize_t>(block.size())) {
    }
  }
  REQUIRE(errno == ENOSPC);
}

void SmallDisk::empty() {
  REQUIRE(::unlink(filler().c_str()) == 0);
}

std::vector<std::string> files_below(const std::string& path) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) out.push_back(entry.path().string());
  }
  return out;
}

Bytes content_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void overwrite(const std::string& file, BytesView content) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << content;
}

bool directory_holds(const std::string& path, BytesView needle) {
  for (const std::string& file : files_below(path)) {
    if (content_of(file).find(needle) != Bytes::npos) return true;
  }
  return false;
}

unsigned mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

}  // namespace sandtrail::test
