// SPDX-License-Identifier: Apache-2.0
#include "store/digest.h"

#include "crypto/digest.h"

namespace sandtrail {

Result<Bytes> digest_of(const KvStore& store, BytesView begin, BytesView end) {
  Sha256 digest;
  const auto add = [&digest](BytesView part) {
    Bytes size;
    put_be64(size, part.size());
    digest.update(size);
    digest.update(part);
  };
  ST_CHECK_OK(store.scan(begin, end, [&add](BytesView key, BytesView value) {
    add(key);
    add(value);
    return true;
  }));
  return digest.finish();
}

}  // namespace sandtrail
