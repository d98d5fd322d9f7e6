// SPDX-License-Identifier: Apache-2.0
// Bytes that must not outlive their use: keys and seeds.
#pragma once

#include <cstddef>
#include <memory>

#include "base/bytes.h"
#include "base/random.h"

namespace sandtrail {

// Owns its bytes on the heap, overwrites them on destruction, and cannot be printed. Moving leaves
// the source empty without a second copy behind; copying has to be asked for with clone().
class SecretBytes {
 public:
  SecretBytes() = default;
  // Copies. The caller's bytes stay where they are: see take().
  explicit SecretBytes(BytesView bytes);
  // Copies, then overwrites and clears the source.
  static SecretBytes take(Bytes& source);
  static SecretBytes random(std::size_t size, Random& random);

  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();

  SecretBytes clone() const { return SecretBytes(view()); }
  // Valid while this object lives and is not moved from.
  BytesView view() const { return {data_.get(), size_}; }
  char* data() { return data_.get(); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  void wipe();

  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
};

// Overwrites and clears; for secrets that had to pass through a plain string.
void wipe(Bytes& bytes);

}  // namespace sandtrail
