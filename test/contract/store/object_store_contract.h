// SPDX-License-Identifier: Apache-2.0
// What the ObjectStore suite needs of an adapter.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/object_store.h"

namespace sandtrail::test {

// One empty store of an adapter.
class ObjectStoreUnderTest {
 public:
  virtual ~ObjectStoreUnderTest() = default;
  virtual ObjectStore& store() = 0;
  // Closes it and opens it again.
  virtual void reopen() = 0;
};

struct ObjectAdapter {
  std::string name;
  // Has room for so many bytes.
  std::function<std::unique_ptr<ObjectStoreUnderTest>(std::size_t capacity_bytes)> make;
};

// Adapters register themselves by defining one of these.
struct ObjectRegistration {
  explicit ObjectRegistration(ObjectAdapter adapter);
};
const std::vector<ObjectAdapter>& object_adapters();

}  // namespace sandtrail::test
