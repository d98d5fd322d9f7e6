// SPDX-License-Identifier: Apache-2.0
// What a process needs that seals or opens payloads.
#pragma once

#include <memory>

#include "data_directory.h"
#include "places.h"
#include "sealing/payload.h"

namespace sandtrail {

class KeyParts {
 public:
  // `fresh`: nothing was ever appended to the (embedded) log. All but `fresh` must outlive it.
  static Result<std::unique_ptr<KeyParts>> open(const ProcessPlan& plan,
                                                const DataDirectory& directory, bool fresh,
                                                const std::shared_ptr<RocksDbMemory>& memory,
                                                Clock& clock, Random& random);

  // That other processes have the same root key, and that the key store is the one that this
  // process has seen before. Retryable while the key store is away.
  Status check_shared() const;

  Keyring& keyring() { return *keyring_; }
  Payloads& payloads() { return *payloads_; }

 private:
  KeyParts(const ProcessPlan& plan, const DataDirectory& directory, Clock& clock)
      : plan_(plan), directory_(directory), clock_(clock) {}

  const ProcessPlan& plan_;
  const DataDirectory& directory_;
  Clock& clock_;
  std::unique_ptr<KeyStore> store_;
  std::unique_ptr<ObjectStore> objects_;
  std::string root_check_;
  std::unique_ptr<Keyring> keyring_;
  std::unique_ptr<Payloads> payloads_;
};

}  // namespace sandtrail
