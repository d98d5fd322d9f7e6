// SPDX-License-Identifier: Apache-2.0
// Which addresses are globally reachable: the IANA IPv4 and IPv6 Special-Purpose Address Registries
// (RFC 6890, as of RFC 9637), the IPv6 address space registry and RFC 3879, 5771, 6052.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

#include "http/client.h"

namespace sandtrail::http {
namespace {

// IPv4 addresses stand in the form ::ffff:a.b.c.d, so that one comparison serves both families.
struct Address {
  std::array<unsigned char, 16> bytes{};
  bool v4 = false;
};

struct Range {
  Address base;
  int bits = 0;  // of the 128
};

Address mapped(const unsigned char* v4) {
  Address out;
  out.v4 = true;
  out.bytes[10] = out.bytes[11] = 0xff;
  std::copy_n(v4, 4, out.bytes.begin() + 12);
  return out;
}

// inet_pton takes neither "127.1" nor leading zeros nor zone ids, which other parsers read
// differently from one another.
std::optional<Address> parse(std::string_view text) {
  const std::string terminated(text);
  if (terminated.find('\0') != std::string::npos) return std::nullopt;
  unsigned char raw[16];
  if (inet_pton(AF_INET, terminated.c_str(), raw) == 1) return mapped(raw);
  if (inet_pton(AF_INET6, terminated.c_str(), raw) != 1) return std::nullopt;
  Address out;
  std::copy_n(raw, 16, out.bytes.begin());
  return out;
}

bool within(const Address& address, const Range& range) {
  const auto whole = static_cast<std::size_t>(range.bits / 8);
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + whole, range.base.bytes.begin())) {
    return false;
  }
  const int rest = range.bits % 8;
  if (rest == 0) return true;
  const int difference = address.bytes[whole] ^ range.base.bytes[whole];
  return (difference >> (8 - rest)) == 0;
}

std::optional<Range> parse_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto base = parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  const std::string_view length = text.substr(slash + 1);
  int bits = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
  if (error != std::errc{} || end != length.data() + length.size() || bits < 0 ||
      bits > (base->v4 ? 32 : 128) || length.front() == '-') {
    return std::nullopt;
  }
  return Range{*base, base->v4 ? bits + 96 : bits};
}

enum class Kind {
  own,   // this host, this link, this site: reachable for those who say allow_private
  never  // multicast, reserved, documentation, translation
};

struct Special {
  std::string_view cidr;
  Kind kind;
};

constexpr Special kSpecial[] = {
    {"0.0.0.0/8", Kind::never},        // this network (0.0.0.0 connects to this host)
    {"10.0.0.0/8", Kind::own},         // private
    {"100.64.0.0/10", Kind::own},      // shared by carriers (CGNAT)
    {"127.0.0.0/8", Kind::own},        // loopback
    {"169.254.0.0/16", Kind::own},     // link-local, cloud metadata
    {"172.16.0.0/12", Kind::own},      // private
    {"192.0.0.0/24", Kind::never},     // IETF protocol assignments
    {"192.0.2.0/24", Kind::never},     // documentation
    {"192.88.99.0/24", Kind::never},   // 6to4 relays, withdrawn
    {"192.168.0.0/16", Kind::own},     // private
    {"198.18.0.0/15", Kind::never},    // benchmarking
    {"198.51.100.0/24", Kind::never},  // documentation
    {"203.0.113.0/24", Kind::never},   // documentation
    {"224.0.0.0/4", Kind::never},      // multicast
    {"240.0.0.0/4", Kind::never},      // reserved, broadcast
    {"::1/128", Kind::own},            // loopback
    {"64:ff9b::/96", Kind::never},     // NAT64: the translator may reach what we must not
    {"64:ff9b:1::/48", Kind::never},   // NAT64, local use
    {"100::/64", Kind::never},         // discard
    {"2001::/23", Kind::never},        // IETF protocol assignments, Teredo, ORCHID
    {"2001:db8::/32", Kind::never},    // documentation
    {"3fff::/20", Kind::never},        // documentation
    {"5f00::/16", Kind::never},        // SRv6 segment identifiers
    {"fc00::/7", Kind::own},           // unique local
    {"fe80::/10", Kind::own},          // link-local
    {"fec0::/10", Kind::own},          // site-local, withdrawn
    {"ff00::/8", Kind::never},         // multicast
};
constexpr std::string_view kGlobalUnicast = "2000::/3";  // all else in IPv6 is not assigned
constexpr std::string_view k6to4 = "2002::/16";

bool within(const Address& address, std::string_view cidr) {
  const auto range = parse_cidr(cidr);
  // An IPv6 range with a short prefix, such as ::/0, says nothing about IPv4.
  return range && range->base.v4 == address.v4 && within(address, *range);
}

bool global_or_own(const Address& address, bool allow_private) {
  for (const auto& [cidr, kind] : kSpecial) {
    if (within(address, cidr)) return kind == Kind::own && allow_private;
  }
  return address.v4 || within(address, kGlobalUnicast);
}

}  // namespace

bool valid_cidr(std::string_view text) {
  return parse_cidr(text).has_value();
}

bool address_allowed(const AddressPolicy& policy, std::string_view address) {
  auto parsed = parse(address);
  if (!parsed) return false;
  const auto excepted = [&](const Address& candidate) {
    return std::any_of(policy.allow_cidrs.begin(), policy.allow_cidrs.end(),
                       [&](const std::string& cidr) { return within(candidate, cidr); });
  };
  constexpr std::array<unsigned char, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(kMapped.begin(), kMapped.end(), parsed->bytes.begin())) parsed->v4 = true;
  if (excepted(*parsed)) return true;
  if (within(*parsed, k6to4)) parsed = mapped(parsed->bytes.data() + 2);
  return excepted(*parsed) || global_or_own(*parsed, policy.allow_private);
}

}  // namespace sandtrail::http
