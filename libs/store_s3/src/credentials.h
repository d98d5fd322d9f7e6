// SPDX-License-Identifier: Apache-2.0
// What credentials must look like to be sent. Private to this library.
#pragma once

#include "base/result.h"
#include "store_s3/object_store.h"

namespace sandtrail::s3 {

// Printable ASCII without white space, so that nothing of it can begin another header; the key's id
// has no "/" and "," either. invalid_argument names what is wrong, never its text.
Status check_credentials(const S3Credentials& credentials);

}  // namespace sandtrail::s3
