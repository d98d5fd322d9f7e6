// SPDX-License-Identifier: Apache-2.0
#include "crypto/secret.h"

#include <openssl/crypto.h>

#include <cstring>
#include <utility>

namespace sandtrail {

SecretBytes::SecretBytes(BytesView bytes) : data_(new char[bytes.size()]), size_(bytes.size()) {
  if (size_ > 0) std::memcpy(data_.get(), bytes.data(), size_);
}

SecretBytes SecretBytes::take(Bytes& source) {
  SecretBytes out(source);
  sandtrail::wipe(source);
  return out;
}

SecretBytes SecretBytes::random(std::size_t size, Random& random) {
  SecretBytes out;
  out.data_.reset(new char[size]);
  out.size_ = size;
  random.fill(out.data_.get(), size);
  return out;
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    wipe();
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

SecretBytes::~SecretBytes() {
  wipe();
}

void SecretBytes::wipe() {
  // A plain memset before a free may be optimised away.
  if (size_ > 0) OPENSSL_cleanse(data_.get(), size_);
}

void wipe(Bytes& bytes) {
  OPENSSL_cleanse(bytes.data(), bytes.size());
  bytes.clear();
}

}  // namespace sandtrail
