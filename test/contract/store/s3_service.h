// SPDX-License-Identifier: Apache-2.0
// The S3 service that the tests use: s3_server.py.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "store_s3/object_store.h"

namespace sandtrail::test {

inline constexpr const char* kS3Bucket = "sandtrail-test";
inline constexpr const char* kS3UnconditionalBucket = "unconditional-test";
inline constexpr const char* kS3KeyId = "sandtrail-test";
inline constexpr const char* kS3Secret = "not/a+secret";
inline constexpr const char* kS3SessionToken = "of+a/session==";

// Where it listens: $SANDTRAIL_TEST_S3, else one that scripts/s3-server starts for this process.
// Throws, with what to do, if there is none.
const std::string& s3_service_url();

// The service's bucket, below a prefix that nothing else uses.
S3ObjectStoreOptions s3_service_options(const std::string& bucket = kS3Bucket,
                                        const std::string& below = "");

// Fails the test if it can't be opened.
std::unique_ptr<ObjectStore> open_s3(S3ObjectStoreOptions options, const Clock& clock,
                                     Random& random);

}  // namespace sandtrail::test
