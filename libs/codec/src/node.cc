// SPDX-License-Identifier: Apache-2.0
#include "codec/node.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#include "base/assert.h"
#include "base/limits.h"

namespace sandtrail::json {
namespace dom = simdjson::dom;

// Carries simdjson's handles, which are two words each, in and out of ours.
class NodeAccess {
 public:
  template <typename Handle, typename Place>
  static Handle get(const Place& place) {
    static_assert(sizeof(Handle) == sizeof(Place) && std::is_trivially_copyable_v<Handle>);
    Handle handle;
    std::memcpy(static_cast<void*>(&handle), place.data(), sizeof handle);
    return handle;
  }
  template <typename Handle, typename Place>
  static void set(Place& place, const Handle& handle) {
    static_assert(sizeof(Handle) == sizeof(Place) && std::is_trivially_copyable_v<Handle>);
    std::memcpy(place.data(), static_cast<const void*>(&handle), sizeof handle);
  }
  static dom::element element(const Node& node) { return get<dom::element>(node.element_); }
  static Node node(const dom::element& element) {
    Node out;
    set(out.element_, element);
    return out;
  }
  static Members members(const dom::object& object) {
    Members out;
    set(out.begin_, object.begin());
    out.at_ = out.begin_;
    set(out.end_, object.end());
    return out;
  }
  static Items items(const dom::array& array) {
    Items out;
    set(out.at_, array.begin());
    set(out.end_, array.end());
    return out;
  }
};

namespace {

using MemberIterator = dom::object::iterator;
using ItemIterator = dom::array::iterator;

// Up to so many names are compared with those before them, where a hash says that they may be
// equal.
constexpr std::size_t kFewNames = 64;

bool few_differ(const dom::object& members) {
  std::array<std::string_view, kFewNames> names;
  std::size_t count = 0;
  std::uint64_t seen = 0;
  for (const auto& [name, value] : members) {
    const auto ends = name.empty() ? 0u
                                   : static_cast<unsigned char>(name.front()) * 5u +
                                         static_cast<unsigned char>(name.back()) * 3u;
    const std::uint64_t bit = std::uint64_t{1} << ((ends + name.size()) % 64);
    const auto end = names.begin() + count;
    if ((seen & bit) != 0 && std::find(names.begin(), end, name) != end) return false;
    seen |= bit;
    names[count++] = name;
  }
  return true;
}

bool many_differ(const dom::object& members) {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : members) names.push_back(name);
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) == names.end();
}

// What is wrong with a value that simdjson took; nullptr if nothing. As deep as it allowed, which
// is one level deeper than we do where that level is empty.
const char* fault_of(const dom::element& element, int levels_left) {
  const auto deeper = [&](const dom::element& inner) { return fault_of(inner, levels_left - 1); };
  if (element.is_array()) {
    if (levels_left == 0) return "it is nested too deeply";
    for (const dom::element item : dom::array(element)) {
      if (const char* fault = deeper(item)) return fault;
    }
  } else if (element.is_object()) {
    if (levels_left == 0) return "it is nested too deeply";
    const dom::object members = element;
    if (!(members.size() > kFewNames ? many_differ(members) : few_differ(members))) {
      return "an object gives a name twice";
    }
    for (const auto& [name, value] : members) {
      if (const char* fault = deeper(value)) return fault;
    }
  }
  return nullptr;
}

// One for each thread, since its buffers are what makes it quick; given back after a large text.
struct Parser {
  std::unique_ptr<dom::parser> parser;
  bool busy = false;

  dom::parser* ready(std::size_t bytes) {
    if (parser && parser->capacity() >= bytes) return parser.get();
    parser = std::make_unique<dom::parser>();
    const std::size_t capacity = std::max<std::size_t>(bytes, 16u << 10);
    // One level more than ours: simdjson counts the document itself.
    const auto error = parser->allocate(capacity, limits::kJsonDepthMax + 1);
    return error == simdjson::SUCCESS ? parser.get() : nullptr;
  }
};

Error malformed(const char* why) {
  return {ErrorCode::invalid_argument, std::string("not valid JSON: ") + why, ""};
}

}  // namespace

bool Node::is_null() const {
  return NodeAccess::element(*this).is_null();
}

bool Node::is_number() const {
  return NodeAccess::element(*this).is_number();
}

std::optional<bool> Node::boolean() const {
  bool value = false;
  if (NodeAccess::element(*this).get_bool().get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<std::int64_t> Node::integer() const {
  const dom::element element = NodeAccess::element(*this);
  std::int64_t value = 0;
  if (element.get_int64().get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<std::string_view> Node::text() const {
  std::string_view value;
  if (NodeAccess::element(*this).get_string().get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<Members> Node::members() const {
  dom::object object;
  if (NodeAccess::element(*this).get_object().get(object) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return NodeAccess::members(object);
}

std::optional<Items> Node::items() const {
  dom::array array;
  if (NodeAccess::element(*this).get_array().get(array) != simdjson::SUCCESS) return std::nullopt;
  return NodeAccess::items(array);
}

std::optional<Node> Members::find(std::string_view name) {
  const auto start = NodeAccess::get<MemberIterator>(at_);
  const auto end = NodeAccess::get<MemberIterator>(end_);
  const auto search = [&](MemberIterator from, const MemberIterator& to) -> std::optional<Node> {
    for (; from != to; ++from) {
      if (from.key() != name) continue;
      const Node found = NodeAccess::node(from.value());
      NodeAccess::set(at_, ++from);
      return found;
    }
    return std::nullopt;
  };
  if (const auto found = search(start, end)) return found;
  return search(NodeAccess::get<MemberIterator>(begin_), start);
}

std::optional<std::pair<std::string_view, Node>> Members::next() {
  auto at = NodeAccess::get<MemberIterator>(at_);
  if (!(at != NodeAccess::get<MemberIterator>(end_))) return std::nullopt;
  const std::pair found{at.key(), NodeAccess::node(at.value())};
  NodeAccess::set(at_, ++at);
  return found;
}

std::optional<Node> Items::next() {
  auto at = NodeAccess::get<ItemIterator>(at_);
  if (!(at != NodeAccess::get<ItemIterator>(end_))) return std::nullopt;
  const Node found = NodeAccess::node(*at);
  NodeAccess::set(at_, ++at);
  return found;
}

Status scan(std::string_view text, const std::function<void(const Node&)>& read) {
  thread_local Parser parser;
  ST_ASSERT(!parser.busy);
  // Later versions of simdjson would skip it, and judge a record otherwise than this one.
  if (text.starts_with("\xef\xbb\xbf")) return malformed("it begins with a byte order mark");
  dom::parser* ready = parser.ready(text.size());
  if (ready == nullptr) return malformed("too long");
  dom::element root;
  // Copies the text, for simdjson reads past its end.
  if (const auto error = ready->parse(text.data(), text.size()).get(root)) {
    return malformed(simdjson::error_message(error));
  }
  if (const char* fault = fault_of(root, limits::kJsonDepthMax)) return malformed(fault);
  parser.busy = true;
  read(NodeAccess::node(root));
  parser.busy = false;
  if (text.size() > limits::kRecordBytesMax) parser.parser.reset();
  return {};
}

}  // namespace sandtrail::json
