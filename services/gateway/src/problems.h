// SPDX-License-Identifier: Apache-2.0
// Problem documents (RFC 9457). Every code is stable and has a page in schemas/problems.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/reflect.h"
#include "domain/core.h"
#include "http/message.h"

namespace sandtrail::gateway {

struct ProblemKind {
  std::string_view code;
  int status = 500;
  std::string_view title;
};
const std::vector<ProblemKind>& problem_kinds();
const ProblemKind& problem_kind(std::string_view code);

struct Problem {
  std::string_view code;  // of a kind
  std::string detail;
  std::vector<reflect::Problem> errors;                     // located in the body by JSON pointer
  std::vector<std::pair<std::string, std::string>> fields;  // of the response, besides
};

Problem invalid_request(std::vector<reflect::Problem> errors);
// Of one query parameter or field.
Problem invalid_parameter(std::string_view name, std::string detail);

// Why the fold did not apply a proposal; the reason is neither none nor idempotent_replay.
Problem problem_of(VoidReason reason);
// Why a proposal was not folded, or something else of ours failed.
Problem problem_of(const Error& error);

http::Response to_response(const Problem& problem, std::string_view instance,
                           std::string_view request_id);

}  // namespace sandtrail::gateway
