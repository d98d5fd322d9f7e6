// SPDX-License-Identifier: Apache-2.0
// Events as records: CloudEvents 1.0 in Kafka binary mode.
//
//   key      the organisation's id text, or empty
//   headers  ce_specversion "1.0" · ce_id · ce_type · ce_source · ce_subject · ce_time (RFC 3339)
//            · ce_schemaversion (integer) · ce_correlationid · ce_causationid · ce_traceparent
//            · content-type "application/json"; empty ones are left out
//   value    a JSON object: the body's fields, and where present actor, request_id, decision,
//            idempotency, expected_version
//
// Sources: CloudEvents 1.0.2 and its Kafka protocol binding section 3.2; extensions distributed
// tracing and correlation. Changes of a type only add fields (wire/schema_versions.h).
#pragma once

#include <variant>

#include "base/result.h"
#include "domain/core.h"
#include "event_log/record.h"
#include "wire/schema_versions.h"

namespace sandtrail {

// In the current version of its type, whatever version it was read from. invalid_argument if the
// record would be over limits::kRecordBytesMax.
Result<Record> encode_event(const Event& event,
                            const SchemaVersions& versions = shipped_versions());

// The event, or why the fold has to take the record as void. Never fails otherwise: anything may
// stand in a topic that others can write to.
std::variant<Event, VoidReason> decode_event(const Record& record,
                                             const SchemaVersions& versions = shipped_versions());

}  // namespace sandtrail
