// SPDX-License-Identifier: Apache-2.0
// A look into RocksDB's table files before RocksDB opens them.
//
// RocksDB 7.8 unpacks a table's properties block before it compares the checksum
// (ReadTablePropertiesHelper in table/meta_blocks.cc), and one damaged bit of that block fails an
// assertion (table/block_based/data_block_hash_index.cc). Debian's library is built with
// assertions, so that a damaged file would end the process, where every other damage is refused.
//
// Formats: RocksDB 7.8, table/format.h (footer, block handle), table/block_based/block_builder.cc
// (entries of a block) and table/block_based/data_block_footer.cc (its last four bytes).
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace sandtrail {

// True if the properties block of the table file with this content would fail that assertion.
// Everything else that may be wrong with a file is left to RocksDB, which sees it.
bool table_would_abort(BytesView file);

// corrupt, and names the file, if any table file (*.sst) in `directory` would. What cannot be read
// is left to RocksDB.
Status check_table_files(const std::string& directory);

}  // namespace sandtrail
