// SPDX-License-Identifier: Apache-2.0
// Every limit of Sandtrail, in one place. Past a limit the answer is a clear error, and nothing is
// lost. Units stand last in the name.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace sandtrail::limits {

// --- the log ---
inline constexpr std::size_t kRecordBytesMax = 256 * 1024;  // headers, key and value together
inline constexpr std::size_t kRecordHeadersMax = 32;
inline constexpr std::size_t kInlinePayloadBytesMax = 32 * 1024;  // larger: to the ObjectStore
inline constexpr std::size_t kAppendQueueRecordsMax = 65'536;     // then Overloaded
inline constexpr std::size_t kAppendQueueBytesMax = 64u << 20;
inline constexpr std::size_t kAppendBatchRecordsMax = 512;  // one write, one fsync
inline constexpr std::size_t kAppendBatchBytesMax = 1u << 20;
inline constexpr std::size_t kReadBatchBytesMax = 1u << 20;
inline constexpr int kPartitionsMax = 1024;

// --- judging (design: principle 3 and 4) ---
inline constexpr Millis kEventAgeMax = minutes(2);     // ce_time before its append stamp
inline constexpr Millis kEventAheadMax = seconds(30);  // ce_time after its append stamp
inline constexpr Millis kJudgedIdsKept = minutes(3);
inline constexpr Millis kIdempotencyKept = hours(24);
inline constexpr Millis kTerminalKept = hours(24);    // in the core, after settled and delivered
inline constexpr Millis kClockSkewMax = seconds(30);  // wall clock against log time
inline constexpr Millis kUnboundKeyKept = minutes(20);

// --- executions ---
inline constexpr std::size_t kCodeBytesMax = 256 * 1024;
inline constexpr std::size_t kStdinBytesMax = 256 * 1024;
inline constexpr std::size_t kFilesMax = 32;
inline constexpr std::size_t kFilesBytesMax = 512 * 1024;  // all files together
inline constexpr std::size_t kPathBytesMax = 255;
inline constexpr std::size_t kArgumentsMax = 128;
inline constexpr std::size_t kEnvironmentMax = 64;
inline constexpr std::size_t kEnvironmentBytesMax = 32 * 1024;
inline constexpr std::size_t kMetadataMax = 16;
inline constexpr std::size_t kMetadataKeyBytesMax = 64;
inline constexpr std::size_t kMetadataValueBytesMax = 512;
inline constexpr std::int64_t kWallMsMin = 10;
inline constexpr std::int64_t kWallMsMax = 15 * 60 * 1000;
inline constexpr std::int64_t kMemoryMibMin = 8;
inline constexpr std::int64_t kMemoryMibMax = 8 * 1024;
inline constexpr std::int64_t kCpuMillisMin = 50;
inline constexpr std::int64_t kCpuMillisMax = 8000;
inline constexpr std::int64_t kProcessesMin = 1;
inline constexpr std::int64_t kProcessesMax = 1024;
inline constexpr std::int64_t kDiskMibMin = 1;
inline constexpr std::int64_t kDiskMibMax = 1024;
inline constexpr std::int64_t kOutputBytesMax = 256 * 1024;  // kept, each stream
inline constexpr std::int64_t kOutputFloodBytes = 16 << 20;  // then killed: output_limit
inline constexpr std::int64_t kAttemptsMax = 5;
inline constexpr Millis kRetentionMin = seconds(1);
inline constexpr Millis kRetentionMax = days(30);

// --- process jail and guest agent ---
inline constexpr int kJailSlotsMax = 256;                      // sandboxes at once on one host
inline constexpr std::size_t kGuestFrameBytesMax = 64 * 1024;  // header included
inline constexpr std::size_t kGuestChunkBytesMax = 32 * 1024;  // file or output bytes in a frame
inline constexpr std::int64_t kGuestTotalStepBytes = 1 << 20;  // dropped output between two totals
inline constexpr std::size_t kJailerPacketBytesMax = 64 * 1024;
inline constexpr std::size_t kOwnedNamesMax = 512;  // of one answer of list_owned
inline constexpr std::size_t kStagesMax = 4;
inline constexpr std::int64_t kForkRefusalsMax = 256;    // more: killed, process_flood
inline constexpr std::int64_t kJailOpenFilesMax = 1024;  // of one process
inline constexpr std::int64_t kJailInodesMax = 65'536;   // in all writable directories
inline constexpr std::int64_t kJailStackBytesMax = 64 << 20;
inline constexpr std::int64_t kJailLockedBytesMax = 64 * 1024;
inline constexpr Millis kJailWatchInterval = {50};  // out-of-memory and fork counters are read
inline constexpr Millis kSandboxBootTimeout = seconds(10);  // launch to started
inline constexpr Millis kSandboxExitGrace = {100};  // main process gone, its pipes still held
inline constexpr Millis kJailOverrun = seconds(2);  // the jailer's own deadline after the host's
inline constexpr Millis kJailerAnswerTimeout = seconds(10);
inline constexpr Millis kJailerRestartInterval = seconds(1);

// --- organisations ---
inline constexpr std::size_t kNameBytesMax = 128;
inline constexpr std::size_t kKeysPerOrgMax = 256;
inline constexpr std::size_t kEndpointsPerOrgMax = 64;
inline constexpr std::int64_t kQueuedPerOrgDefault = 1000;  // requested, not yet assigned
inline constexpr std::int64_t kRunningPerOrgDefault = 16;

// --- HTTP ---
inline constexpr std::size_t kHttpBodyBytesMax = 2u << 20;
inline constexpr std::size_t kHttpHeaderBytesMax = 32 * 1024;
inline constexpr std::size_t kHttpTargetBytesMax = 8 * 1024;
inline constexpr std::size_t kHttpConnectionsMax = 8192;
inline constexpr std::size_t kHttpStreamBufferBytesMax = 1u << 20;  // a slow SSE reader is cut
inline constexpr Millis kHttpHeaderTimeout = seconds(15);
inline constexpr Millis kHttpBodyTimeout = seconds(60);
inline constexpr Millis kHttpIdleTimeout = seconds(75);
inline constexpr Millis kHttpWriteTimeout = seconds(60);
inline constexpr int kJsonDepthMax = 32;
inline constexpr std::int64_t kPreferWaitSecondsMax = 60;
inline constexpr std::size_t kWaitersMax = 16'384;
inline constexpr std::size_t kPendingProposalsMax = 16'384;  // then 503
inline constexpr std::int64_t kPageDefault = 20;
inline constexpr std::int64_t kPageMax = 100;
inline constexpr std::size_t kIdempotencyKeyBytesMax = 255;

// --- webhooks ---
inline constexpr std::size_t kWebhookUrlBytesMax = 2048;
inline constexpr std::size_t kWebhookEventFiltersMax = 32;
inline constexpr std::size_t kWebhookBodyOutputBytesMax = 16 * 1024;  // else left out, by link
inline constexpr std::size_t kWebhookResponseBytesMax = 4 * 1024;     // read, and kept sealed
inline constexpr std::size_t kWebhookInFlightMax = 256;
inline constexpr std::size_t kWebhookInFlightPerHostMax = 16;
inline constexpr Millis kWebhookTimeout = seconds(20);

// --- runtime ---
inline constexpr std::size_t kFoldBatchRecordsMax = 512;
inline constexpr std::size_t kEffectsInFlightMax = 4096;  // per role and partition
inline constexpr int kEffectTriesMax = 8;                 // then parked
inline constexpr std::size_t kMailboxMax = 65'536;

// --- object store ---
inline constexpr std::size_t kObjectBytesMax = 16u << 20;

}  // namespace sandtrail::limits
