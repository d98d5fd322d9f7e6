// SPDX-License-Identifier: Apache-2.0
// What was made to happen in a world, by kind: counted, noted, or left out.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"

namespace sandtrail::sim {

class Diary {
 public:
  explicit Diary(const Clock& clock) : clock_(clock) {}

  // These kinds are drawn like any other and then do not happen.
  void leave_out(std::set<std::string, std::less<>> kinds) { without_ = std::move(kinds); }
  // These happen although they never do otherwise: what no log or store may do.
  void dare(std::set<std::string, std::less<>> kinds) { dared_ = std::move(kinds); }
  void keep_notes() { noting_ = true; }

  // True if something of this kind is to happen now; it is counted and noted then.
  bool happens(const std::string& kind, const std::string& detail = "") {
    if (without_.contains(kind)) return false;
    ++counts_[kind];
    note(detail.empty() ? kind : kind + ": " + detail);
    return true;
  }
  bool happens_if_dared(const std::string& kind, const std::string& detail) {
    return dared_.contains(kind) && happens(kind, detail);
  }
  void note(const std::string& text) {
    if (noting_) notes_.push_back(rfc3339(clock_.now()) + "  " + text);
  }

  const std::map<std::string, int>& counts() const { return counts_; }
  // In order, each with the time of the log.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  const Clock& clock_;
  std::set<std::string, std::less<>> without_;
  std::set<std::string, std::less<>> dared_;
  std::map<std::string, int> counts_;
  bool noting_ = false;
  std::vector<std::string> notes_;
};

}  // namespace sandtrail::sim
