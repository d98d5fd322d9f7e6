// SPDX-License-Identifier: Apache-2.0
// The twin, and the adapter over a directory.
#include <doctest/doctest.h>

#include "disk.h"
#include "object_store_contract.h"
#include "store/memory_object_store.h"
#include "store_dir/object_store.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

class MemoryObjects final : public ObjectStoreUnderTest {
 public:
  explicit MemoryObjects(std::size_t capacity_bytes) { twin_.set_capacity_bytes(capacity_bytes); }
  ObjectStore& store() override { return twin_; }
  void reopen() override {}

 private:
  MemoryObjectStore twin_;
};

class DirectoryObjects final : public ObjectStoreUnderTest {
 public:
  explicit DirectoryObjects(std::size_t capacity_bytes) : disk_(capacity_bytes) { open(); }
  ObjectStore& store() override { return *adapter_; }
  void reopen() override { open(); }

 private:
  void open() {
    auto opened = open_directory_object_store(disk_.path() + "/objects");
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? std::string() : opened.error().text()));
    adapter_ = std::move(*opened);
  }

  SmallDisk disk_;
  std::unique_ptr<ObjectStore> adapter_;
};

template <typename Objects>
ObjectAdapter adapter(const char* name) {
  return {name, [](std::size_t capacity_bytes) -> std::unique_ptr<ObjectStoreUnderTest> {
            return std::make_unique<Objects>(capacity_bytes);
          }};
}

const ObjectRegistration memory(adapter<MemoryObjects>("memory"));
const ObjectRegistration directory(adapter<DirectoryObjects>("directory"));

}  // namespace
