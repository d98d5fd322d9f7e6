// SPDX-License-Identifier: Apache-2.0
#include "key_parts.h"

#include <filesystem>

#include "key_files.h"
#include "sealing/root_check.h"

namespace sandtrail {
namespace {

MissingKey when_missing(const ProcessPlan& plan, bool fresh) {
  if (!plan.makes_keys) return MissingKey::shared;
  return plan.config.log.embedded() && !fresh ? MissingKey::lost : MissingKey::make;
}

}  // namespace

Result<std::unique_ptr<KeyParts>> KeyParts::open(const ProcessPlan& plan,
                                                 const DataDirectory& directory, bool fresh,
                                                 const std::shared_ptr<RocksDbMemory>& memory,
                                                 Clock& clock, Random& random) {
  std::error_code ignored;
  const bool embedded = plan.config.log.embedded();
  if (embedded && !fresh && !std::filesystem::exists(directory.in("keys"), ignored)) {
    return Error{ErrorCode::not_found, directory.in("keys") + " is gone, but there is a log",
                 "restore it from its backup: payloads cannot be read without it"};
  }
  const std::string path = root_key_path(plan.config);
  ST_ASSIGN(SecretBytes root, open_root_key(path, when_missing(plan, fresh), random));
  if (embedded) ST_CHECK_OK(directory.check_root_key(root, path));
  std::unique_ptr<KeyParts> out(new KeyParts(plan, directory, clock));
  ST_ASSIGN(out->store_, open_key_store(plan, memory, clock));
  ST_ASSIGN(out->objects_, open_objects(plan, clock, random));
  out->root_check_ = root_check_text(root);
  out->keyring_ = std::make_unique<Keyring>(std::move(root), *out->store_, clock, random);
  out->payloads_ = std::make_unique<Payloads>(*out->keyring_, *out->objects_);
  return out;
}

Status KeyParts::check_shared() const {
  if (plan_.config.log.embedded()) return {};  // root.check has told
  const std::string path = root_key_path(plan_.config);
  ST_ASSIGN(const bool seen, directory_.knows_root_key());
  // Of the two that may write keys, one is always there: without them there is nothing to open.
  const bool may_write = plan_.runs(ServerRole::gateway) || plan_.runs(ServerRole::retention);
  const NoRootCheck missing = seen        ? NoRootCheck::lost
                              : may_write ? NoRootCheck::make
                                          : NoRootCheck::accept;
  ST_ASSIGN(const bool known, check_root_key(root_check_, path, *store_, missing, clock_));
  return known && !seen ? directory_.note_root_key(root_check_) : Status();
}

}  // namespace sandtrail
