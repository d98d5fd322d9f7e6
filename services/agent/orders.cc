// SPDX-License-Identifier: Apache-2.0
#include "orders.h"

#include <fcntl.h>

#include <utility>
#include <variant>

#include "base/fd.h"
#include "base/limits.h"
#include "files.h"

namespace sandtrail::agent {

Status take_orders(Channel& channel, Program& program) {
  const UniqueFd work(::open("/work", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (;;) {
    ST_ASSIGN(auto message, channel.receive());
    if (const auto* hello = std::get_if<guest::Hello>(&message)) {
      if (hello->version != guest::kVersion) {
        return Error{ErrorCode::invalid_argument, "the host speaks another protocol version", ""};
      }
    } else if (const auto* file = std::get_if<guest::PutFile>(&message)) {
      ST_CHECK_OK(put_file(work.get(), *file));
    } else if (auto* variable = std::get_if<guest::Variable>(&message)) {
      program.environment.emplace_back(std::move(variable->name), std::move(variable->value));
    } else if (auto* stage = std::get_if<guest::Stage>(&message)) {
      if (stage->argv.empty() || program.stages.size() >= limits::kStagesMax) {
        return Error{ErrorCode::invalid_argument, "malformed stage", ""};
      }
      program.stages.push_back(std::move(*stage));
    } else if (const auto* input = std::get_if<guest::Stdin>(&message)) {
      ST_CHECK_OK(put_stdin(program.input, input->content));
    } else if (const auto* run = std::get_if<guest::Run>(&message)) {
      program.run = *run;
      return {};
    }
  }
}

}  // namespace sandtrail::agent
