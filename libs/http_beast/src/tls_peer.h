// SPDX-License-Identifier: Apache-2.0
// Who a certificate says its holder is.
#pragma once

#include <openssl/x509.h>

#include <optional>

#include "http/message.h"

namespace sandtrail::http {

// nullopt unless the subject has one OU and one CN, each of 1 to 64 printable ASCII characters.
std::optional<PeerIdentity> identity_of(const X509& certificate);

}  // namespace sandtrail::http
