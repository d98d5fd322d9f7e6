// SPDX-License-Identifier: Apache-2.0
// What names and texts of signed notes may hold. Private to this library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "crypto/note.h"

namespace sandtrail {

// Not empty, UTF-8, no "+", no control character, no Unicode space (White_Space property).
bool is_note_name(std::string_view name);
// UTF-8 without control characters (below U+0020) but "\n".
bool is_note_content(std::string_view text);

std::uint32_t note_key_id(std::string_view name, NoteKeyType type, BytesView public_key);

// The parts of name "+" hex "+" base64, which vkeys and private keys share. The base64 may hold
// more "+".
struct NoteKeyParts {
  std::string name;
  std::uint32_t key_id = 0;
  Bytes material;  // type byte and key
};
Result<NoteKeyParts> split_note_key(std::string_view text);
std::string join_note_key(std::string_view name, std::uint32_t key_id, BytesView material);

}  // namespace sandtrail
