// SPDX-License-Identifier: Apache-2.0
// The seam for fault tests: stores whose files go through a given rocksdb::Env.
#pragma once

#include "store_rocksdb/key_store.h"
#include "store_rocksdb/kv_store.h"

namespace rocksdb {
class Env;
}

namespace sandtrail {

// As open_rocksdb_kv_store() and open_rocksdb_key_store(); `env` must outlive the store.
Result<std::unique_ptr<KvStore>> open_rocksdb_kv_store_on_env(const std::string& path,
                                                              const RocksDbKvOptions& options,
                                                              rocksdb::Env& env);
Result<std::unique_ptr<KeyStore>> open_rocksdb_key_store_on_env(const std::string& path,
                                                                const RocksDbKeyOptions& options,
                                                                rocksdb::Env& env);

}  // namespace sandtrail
