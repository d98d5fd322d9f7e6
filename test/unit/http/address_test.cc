// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <string>

#include "http/client.h"

using namespace sandtrail;
using namespace sandtrail::http;

namespace {

struct AddressRow {
  const char* address;
  bool by_default;
  bool with_private;
};
const AddressRow kAddresses[] = {
    {"1.1.1.1", true, true},
    {"9.255.255.255", true, true},
    {"11.0.0.0", true, true},
    {"100.63.255.255", true, true},
    {"100.128.0.0", true, true},
    {"172.15.255.255", true, true},
    {"172.32.0.0", true, true},
    {"192.0.1.0", true, true},
    {"192.167.255.255", true, true},
    {"192.169.0.0", true, true},
    {"198.17.255.255", true, true},
    {"198.20.0.0", true, true},
    {"223.255.255.255", true, true},
    {"2606:4700:4700::1111", true, true},
    {"2A00:1450:4001::200E", true, true},
    {"2001:200::1", true, true},
    {"3ffe::1", true, true},
    // this network, this host, this site
    {"0.0.0.0", false, false},
    {"0.255.255.255", false, false},
    {"10.0.0.0", false, true},
    {"10.255.255.255", false, true},
    {"100.64.0.0", false, true},
    {"100.127.255.255", false, true},
    {"127.0.0.1", false, true},
    {"127.255.255.255", false, true},
    {"169.254.169.254", false, true},
    {"172.16.0.0", false, true},
    {"172.31.255.255", false, true},
    {"192.168.0.0", false, true},
    {"192.168.255.255", false, true},
    {"::1", false, true},
    {"fc00::1", false, true},
    {"fdff:ffff::1", false, true},
    {"fe80::1", false, true},
    {"febf::1", false, true},
    {"fec0::1", false, true},
    // never a peer
    {"192.0.0.1", false, false},
    {"192.0.0.170", false, false},
    {"192.0.2.1", false, false},
    {"192.88.99.1", false, false},
    {"198.18.0.0", false, false},
    {"198.19.255.255", false, false},
    {"198.51.100.7", false, false},
    {"203.0.113.255", false, false},
    {"224.0.0.1", false, false},
    {"239.255.255.255", false, false},
    {"240.0.0.0", false, false},
    {"255.255.255.255", false, false},
    {"::", false, false},
    {"::2", false, false},
    {"::127.0.0.1", false, false},
    {"::8.8.8.8", false, false},
    {"::ffff:0:127.0.0.1", false, false},
    {"64:ff9b::7f00:1", false, false},
    {"64:ff9b::808:808", false, false},
    {"64:ff9b:1::1", false, false},
    {"100::1", false, false},
    {"2001::1", false, false},
    {"2001:0:4136:e378:8000:63bf:3fff:fdd2", false, false},
    {"2001:2::1", false, false},
    {"2001:20::1", false, false},
    {"2001:1ff:ffff::1", false, false},
    {"2001:db8::1", false, false},
    {"3fff::1", false, false},
    {"3fff:fff:ffff::1", false, false},
    {"5f00::1", false, false},
    {"4000::1", false, false},
    {"ff02::1", false, false},
    {"ffff::1", false, false},
    // judged by the address within
    {"::ffff:8.8.8.8", true, true},
    {"::ffff:127.0.0.1", false, true},
    {"::ffff:7f00:1", false, true},
    {"::ffff:a9fe:a9fe", false, true},
    {"::ffff:0.0.0.0", false, false},
    {"::ffff:224.0.0.1", false, false},
    {"2002:808:808::1", true, true},
    {"2002:7f00:1::1", false, true},
    {"2002:a00:1::", false, true},
    {"2002:e000:1::", false, false},
    // what parsers read differently
    {"", false, false},
    {"127.1", false, false},
    {"1", false, false},
    {"2130706433", false, false},
    {"0x7f.0.0.1", false, false},
    {"8.8.8.08", false, false},
    {"010.8.8.8", false, false},
    {"8.8.8.8.", false, false},
    {" 8.8.8.8", false, false},
    {"8.8.8.8 ", false, false},
    {"8.8.8.256", false, false},
    {"8.8.8.8:80", false, false},
    {"[2606:4700:4700::1111]", false, false},
    {"2606:4700:4700::1111%eth0", false, false},
    {"fe80::1%1", false, false},
    {"localhost", false, false},
    {"example.com", false, false},
};

}  // namespace

TEST_CASE("only globally routable addresses may be connected to") {
  for (const AddressRow& row : kAddresses) {
    CAPTURE(std::string(row.address));
    CHECK(address_allowed({}, row.address) == row.by_default);
    CHECK(address_allowed({.allow_private = true, .allow_cidrs = {}}, row.address) ==
          row.with_private);
  }
  CHECK_FALSE(address_allowed({}, std::string_view("8.8.8.8\0x", 9)));
}

TEST_CASE("an address range excepts what it contains, and no more") {
  struct Row {
    const char* cidr;
    const char* address;
    bool allowed;
  };
  const Row rows[] = {
      {"10.1.0.0/16", "10.1.255.255", true},
      {"10.1.0.0/16", "10.2.0.0", false},
      {"10.1.0.0/16", "::ffff:10.1.2.3", true},
      {"10.1.0.0/16", "2002:a01:203::1", true},
      {"10.1.2.3/32", "10.1.2.3", true},
      {"10.1.2.3/32", "10.1.2.4", false},
      {"10.1.2.0/23", "10.1.3.255", true},
      {"10.1.2.0/23", "10.1.4.0", false},
      {"0.0.0.0/0", "127.0.0.1", true},
      {"0.0.0.0/0", "::1", false},
      {"::/0", "::1", true},
      {"::/0", "127.0.0.1", false},
      {"::/0", "::ffff:127.0.0.1", false},
      {"fd00::/8", "fd12::1", true},
      {"fd00::/8", "fc12::1", false},
      {"64:ff9b::/96", "64:ff9b::808:808", true},
      {"2002::/16", "2002:7f00:1::1", true},
      {"10.1.0.0/33", "10.1.0.0", false},
      {"10.1.0.0/-1", "10.1.0.0", false},
      {"10.1.0.0/", "10.1.0.0", false},
      {"10.1.0.0/8x", "10.1.0.0", false},
      {"10.1/16", "10.1.0.0", false},
      {"10.1.0.0", "10.1.0.0", false},
      {"", "10.1.0.0", false},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.cidr));
    CAPTURE(std::string(row.address));
    CHECK(address_allowed({.allow_private = false, .allow_cidrs = {row.cidr}}, row.address) ==
          row.allowed);
  }
}

TEST_CASE("a range in a setting can be checked") {
  for (const char* good : {"10.0.0.0/8", "1.2.3.4/32", "0.0.0.0/0", "fd00::/8", "::1/128"}) {
    CAPTURE(std::string(good));
    CHECK(valid_cidr(good));
  }
  for (const char* bad : {"", "/", "10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/+8", "x/8",
                          "10.0.0/8", "10.0.0.0/8 ", "10.0.0.0/-0"}) {
    CAPTURE(std::string(bad));
    CHECK_FALSE(valid_cidr(bad));
  }
}
