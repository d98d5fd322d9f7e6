// SPDX-License-Identifier: Apache-2.0
// The adapter over S3, on a service that keeps If-None-Match, and on one that ignores it.
#include "object_store_contract.h"
#include "s3_service.h"

using namespace sandtrail;
using namespace sandtrail::test;

namespace {

class S3Objects final : public ObjectStoreUnderTest {
 public:
  S3Objects(const std::string& bucket, std::size_t capacity_bytes)
      : location_(
            s3_service_options(bucket, "quota-" + std::to_string(capacity_bytes) + "-x").location) {
    reopen();
  }
  ObjectStore& store() override { return *adapter_; }
  void reopen() override {
    S3ObjectStoreOptions options = s3_service_options();
    options.location = location_;
    adapter_ = open_s3(std::move(options), clock_, random_);
  }

 private:
  const S3Location location_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<ObjectStore> adapter_;
};

ObjectAdapter on(const std::string& bucket) {
  return {"S3, " + bucket,
          [bucket](std::size_t capacity_bytes) -> std::unique_ptr<ObjectStoreUnderTest> {
            return std::make_unique<S3Objects>(bucket, capacity_bytes);
          }};
}

const ObjectRegistration conditional(on(kS3Bucket));
const ObjectRegistration unconditional(on(kS3UnconditionalBucket));

}  // namespace
