// SPDX-License-Identifier: Apache-2.0
#include "tls_settings.h"

#include <sys/stat.h>

#include "base/limits.h"

namespace sandtrail::http {

Result<std::unique_ptr<TlsSettings>> TlsSettings::open(TlsPlan plan) {
  std::unique_ptr<TlsSettings> settings(new TlsSettings(std::move(plan)));
  settings->stamp_ = settings->files_stamp();
  settings->looked_us_ = settings->plan_.clock->monotonic_us();
  ST_ASSIGN(settings->context_, load_tls_context(settings->plan_));
  return settings;
}

// Changes whenever a file is written or replaced.
std::string TlsSettings::files_stamp() const {
  std::string out;
  for (const std::string* path : {&plan_.ca_file, &plan_.cert_file, &plan_.key_file}) {
    struct stat info {};
    if (path->empty() || ::stat(path->c_str(), &info) != 0) info = {};
    const std::int64_t facts[] = {static_cast<std::int64_t>(info.st_dev),
                                  static_cast<std::int64_t>(info.st_ino),
                                  static_cast<std::int64_t>(info.st_size),
                                  static_cast<std::int64_t>(info.st_mode),
                                  info.st_mtim.tv_sec,
                                  info.st_mtim.tv_nsec,
                                  info.st_ctim.tv_sec,
                                  info.st_ctim.tv_nsec};
    for (const std::int64_t fact : facts) out += std::to_string(fact) + ' ';
  }
  return out;
}

TlsContext TlsSettings::current() {
  Status news;
  bool changed = false;
  TlsContext out;
  {
    const std::lock_guard lock(mutex_);
    look(news, changed);
    out = context_;
  }
  if (changed && plan_.on_reload) plan_.on_reload(news);
  return out;
}

// The stamp is taken before the files are read: a change in between is then seen the next time. Of
// files that are no good, perhaps because only one of two is replaced so far, the old state stays
// in use, and they are tried again every time.
void TlsSettings::look(Status& news, bool& changed) {
  const std::int64_t now = plan_.clock->monotonic_us();
  if (now - looked_us_ < limits::kTlsFilesPeriod.count * 1000) return;
  looked_us_ = now;
  std::string stamp = files_stamp();
  if (stamp == stamp_) return;
  auto loaded = load_tls_context(plan_);
  if (loaded) {
    context_ = std::move(*loaded);
    stamp_ = std::move(stamp);
    failed_.clear();
    changed = true;
  } else if (stamp != failed_) {
    failed_ = std::move(stamp);
    news = loaded.error();
    changed = true;
  }
}

}  // namespace sandtrail::http
