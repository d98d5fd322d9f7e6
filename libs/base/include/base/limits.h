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
inline constexpr std::int64_t kEventsPartitionsMax = 256;
inline constexpr std::size_t kTopicsMax = 16;
inline constexpr std::size_t kTopicNameBytesMax = 128;
inline constexpr std::size_t kConsumerGroupsMax = 64;  // that report what they still need
inline constexpr std::size_t kGroupNameBytesMax = 128;
inline constexpr Millis kKafkaAppendTimeout = seconds(30);   // then NotCommitted or Unknown
inline constexpr Millis kKafkaCallTimeout = seconds(5);      // of a question to a broker
inline constexpr Millis kKafkaTopicTimeout = seconds(30);    // a topic made, until it has leaders
inline constexpr Millis kKafkaFetchTimeout = seconds(5);     // a reader waits for what is there
inline constexpr Millis kKafkaHeartbeat{400};                // of a group's member
inline constexpr Millis kKafkaContactInterval = seconds(1);  // how often a broker is asked
inline constexpr Millis kKafkaContactTimeout = seconds(2);   // for an answer to it
inline constexpr Millis kKafkaRefusalKept = seconds(5);      // a right that lacks, till tried anew
inline constexpr std::size_t kKafkaPrefetchBytesMax = 8u << 20;  // of each partition, undelivered
inline constexpr Millis kHeadMarkAgeMax = seconds(1);            // embedded: loss noticed at open
inline constexpr std::size_t kHeadMarkBytesMax = 32u << 20;
inline constexpr std::uint64_t kLogFreeBytesMinDefault = 64u << 20;  // below, appends are refused
inline constexpr std::uint64_t kLogFreeBytesMinMin = 16u << 20;
inline constexpr std::uint64_t kStartFreeBytesMin = 8u << 20;  // else no start

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
inline constexpr std::size_t kArgumentsMax = 128;                     // of a command; and of args
inline constexpr std::size_t kArgumentsBytesMax = 32 * 1024;          // both together
inline constexpr std::size_t kStageArgumentsMax = 3 * kArgumentsMax;  // and the language's own
inline constexpr std::size_t kEnvironmentMax = 64;
inline constexpr std::size_t kEnvironmentBytesMax = 32 * 1024;
inline constexpr std::size_t kMetadataMax = 16;
inline constexpr std::size_t kMetadataKeyBytesMax = 64;
inline constexpr std::size_t kMetadataValueBytesMax = 512;
inline constexpr std::size_t kThreadBytesMax = 128;
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
inline constexpr Millis kQueueWaitMax = minutes(15);  // then rejected: queue_timeout
inline constexpr Millis kRetentionMin = seconds(1);
inline constexpr Millis kRetentionMax = days(30);

// --- hosts ---
// From one renewal on: after kHostFence a host that nobody renews ends what it runs; after
// kHostLease its launcher counts it as gone, and after kHostLeaseMargin more its attempts as lost.
inline constexpr Millis kHostHeartbeat = seconds(2);
inline constexpr Millis kHostFence = seconds(10);
inline constexpr Millis kHostLease = seconds(15);
inline constexpr Millis kHostLeaseMargin = seconds(5);
inline constexpr Millis kHostSilent = seconds(3);    // fetches no orders: gets no work
inline constexpr Millis kHostPollWait = seconds(5);  // for orders, then an empty answer
inline constexpr Millis kHostBackOffFirst{100};      // before a host asks a launcher again
inline constexpr Millis kHostBackOffLast = seconds(5);
inline constexpr Millis kHostAnswerMax = seconds(4);  // of a launcher to a host
inline constexpr Millis kHostDrain = seconds(10);     // of a host that ends, for what it runs
inline constexpr Millis kHostDeliver = seconds(5);  // then for results that nobody has applied yet
inline constexpr Millis kHostKillWait = seconds(10);  // for killed sandboxes to be gone
inline constexpr Millis kOrphanAge = minutes(1);      // left-over sandboxes live at most twice that
inline constexpr Millis kReportGrace = minutes(1);    // after the latest end an attempt can have
inline constexpr std::size_t kHostsMax = 256;         // of one launcher
inline constexpr std::size_t kHostKeptResultsMax = 1024;       // not applied yet, of one host
inline constexpr std::size_t kHostKeptBytesMax = 256u << 20;   // of them together
inline constexpr std::size_t kHostSeenAttemptsMax = 65'536;    // remembered by a host
inline constexpr std::size_t kHostOrdersQueuedMax = 8192;      // that one host has not fetched
inline constexpr std::size_t kHostInputBytesMax = 4u << 20;    // sealed, of one launch
inline constexpr std::size_t kHostOutputBytesMax = 1u << 20;   // sealed, of one result
inline constexpr std::size_t kHostOrderBytesMax = 6u << 20;    // one order as JSON
inline constexpr std::size_t kHostOrdersBytesMax = 1u << 20;   // past it an answer takes no more
inline constexpr std::size_t kHostReportsBytesMax = 4u << 20;  // body of a request of a host
inline constexpr std::size_t kHostReportBatchBytesMax = 1u << 20;  // past it a host adds no more
inline constexpr std::size_t kHostUnappliedBytesMax = 64u << 20;   // reports of one host in memory
inline constexpr std::size_t kHostFactsBytesMax = 16 * 1024;       // texts of one report
inline constexpr std::size_t kHostFactsMax = 128;                  // … and how many

// --- process jail and guest agent ---
inline constexpr int kJailSlotsMax = 256;                      // sandboxes at once on one host
inline constexpr std::size_t kGuestFrameBytesMax = 64 * 1024;  // header included
inline constexpr std::size_t kGuestChunkBytesMax = 32 * 1024;  // file or output bytes in a frame
inline constexpr std::int64_t kGuestSmallReadBytes =
    4096;                                    // less than that of a program's output …
inline constexpr Millis kGuestGather = {5};  // … waits for more so long at most
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

// --- live output ---
inline constexpr std::size_t kLiveOutputBytesMax = 64u << 20;  // kept by one host, all attempts
inline constexpr std::size_t kLiveFollowersMax = 1024;         // of one host
inline constexpr std::size_t kLiveChunkBytesMax = 32 * 1024;   // output in one event
inline constexpr Millis kLiveHeartbeat = seconds(5);           // of a host's data plane
inline constexpr Millis kLiveSilenceMax = seconds(15);         // then the host counts as away
inline constexpr Millis kLiveRetryFirst = seconds(1);          // following anew; doubles up to …
inline constexpr Millis kLiveRetryMax = seconds(15);

// --- organisations ---
inline constexpr std::size_t kNameBytesMax = 128;
inline constexpr std::size_t kKeysPerOrgMax = 256;
inline constexpr std::size_t kEndpointsPerOrgMax = 64;
inline constexpr std::int64_t kQueuedPerOrgDefault = 1000;  // requested, not yet assigned
inline constexpr std::int64_t kRunningPerOrgDefault = 16;

// --- money, in millionths of a credit: far above any real sum, far below overflow ---
inline constexpr std::int64_t kGrantMicroCreditsMax = 1'000'000'000'000'000;  // at once; a billion
inline constexpr std::int64_t kPriceMicroCreditsMax = 1'000'000'000'000;      // GiB x core x second

// --- audit ---
// Of each text in an audit entry. At most nine of them, six bytes a character in JSON: under the
// 65,535 bytes of an entry (C2SP tlog-tiles).
inline constexpr std::size_t kAuditTextBytesMax = 1024;

// --- HTTP ---
inline constexpr std::size_t kHttpBodyBytesMax = 2u << 20;
inline constexpr std::size_t kHttpSmallBodyBytesMax = 64 * 1024;  // of all but executions
inline constexpr std::size_t kHttpHeaderBytesMax = 32 * 1024;
inline constexpr std::size_t kHttpTargetBytesMax = 8 * 1024;
// Of all requests of one server that are being received or handled: a stalled upload holds memory
// for as long as kHttpBodyTimeout. Above it, 503.
inline constexpr std::size_t kHttpBodiesBytesMax = 256u << 20;
inline constexpr std::size_t kHttpConnectionsMax = 8192;
inline constexpr std::size_t kHttpConnectionsPerAddressMax = 4096;  // leaves room to the others
inline constexpr std::size_t kDescriptorsReserved = 256;  // open files that are no connections
inline constexpr std::size_t kHttpStreamBufferBytesMax = 1u << 20;  // a slow SSE reader is cut
inline constexpr Millis kHttpHeaderTimeout = seconds(15);
inline constexpr Millis kHttpBodyTimeout = seconds(60);
inline constexpr Millis kHttpIdleTimeout = seconds(75);
inline constexpr Millis kHttpWriteTimeout = seconds(60);
inline constexpr std::size_t kHttpFieldsMax = 128;  // of one message, trailers included
inline constexpr Millis kHttpLingerTimeout =
    seconds(2);  // after the last answer, for the peer's end
inline constexpr std::size_t kHttpLingerBytesMax = 1u << 20;  // read and dropped meanwhile
inline constexpr std::size_t kHttpRefusalsMax = 64;  // connections over the limit told so at once
inline constexpr Millis kHttpAcceptBackoff = Millis{100};  // when out of file descriptors
inline constexpr Millis kHttpSweepPeriod = Millis{250};    // how exactly time-outs are kept
inline constexpr int kHttpBacklog = 1024;                  // connections the kernel keeps for us
inline constexpr int kHttpProbeSeconds = 30;               // idle, then TCP asks thrice every 10 s
inline constexpr std::size_t kTlsHelloBytesMax = 16 * 1024;         // a client's first message
inline constexpr std::size_t kTlsCertificatesBytesMax = 16 * 1024;  // a client's, with their chain
inline constexpr std::size_t kTlsFileBytesMax = 1u << 20;
inline constexpr Millis kTlsFilesPeriod = seconds(5);  // changed certificates are noticed
inline constexpr std::size_t kUnixPathBytesMax = 107;  // sockaddr_un, less a NUL
inline constexpr std::size_t kHttpClientInFlightMax = 1024;
inline constexpr std::size_t kHttpClientKeptPerOriginMax = 16;  // idle connections
inline constexpr std::size_t kHttpClientKeptMax = 256;          // … of one thread
inline constexpr Millis kHttpClientKeptIdleMax = seconds(30);
inline constexpr Millis kHttpClientKeptAgeMax = minutes(5);  // then the name is resolved again
inline constexpr std::size_t kHttpClientDrainBytesMax = 64 * 1024;  // to keep the connection
inline constexpr std::size_t kHttpClientAddressesMax = 8;           // tried, of one name
inline constexpr int kHttpResolverThreadsMax = 8;
inline constexpr std::size_t kSseEventBytesMax = 2u << 20;
inline constexpr int kJsonDepthMax = 32;
inline constexpr std::int64_t kPreferWaitSecondsMax = 60;
inline constexpr std::size_t kWaitersMax = 16'384;
inline constexpr std::size_t kPendingProposalsMax = 16'384;  // then 503
inline constexpr std::int64_t kPageDefault = 20;
inline constexpr std::int64_t kPageMax = 100;
inline constexpr std::size_t kIdempotencyKeyBytesMax = 255;
inline constexpr std::size_t kPageScanMax = 1000;              // rows a filter looks at
inline constexpr std::size_t kPagePayloadBytesMax = 4u << 20;  // opened for one page
inline constexpr std::size_t kPositionWaitersMax = 4096;       // reads that wait for the fold
inline constexpr std::size_t kRequestIdBytesMax = 128;
inline constexpr std::size_t kUserAgentBytesMax = 256;
inline constexpr std::size_t kDeniedGroupsMax = 1024;  // of refused attempts, until written
inline constexpr std::size_t kParkedShownMax = 1000;

// --- webhooks ---
inline constexpr std::size_t kWebhookUrlBytesMax = 2048;
inline constexpr std::size_t kWebhookEventFiltersMax = 32;
inline constexpr std::size_t kWebhookBodyOutputBytesMax = 16 * 1024;  // else left out, by link
inline constexpr std::size_t kWebhookResponseBytesMax = 4 * 1024;     // read, and kept sealed
inline constexpr std::size_t kWebhookInFlightMax = 256;
inline constexpr std::size_t kWebhookInFlightPerHostMax = 16;
inline constexpr std::size_t kWebhookInFlightPerOrgMax = 64;
inline constexpr Millis kWebhookTimeout = seconds(20);

// --- runtime ---
inline constexpr std::size_t kFoldBatchRecordsMax = 512;
inline constexpr std::size_t kEffectsInFlightMax = 4096;  // per role and partition
inline constexpr int kEffectTriesMax = 8;                 // then parked
inline constexpr std::size_t kMailboxMax = 65'536;

// --- cryptography ---
inline constexpr std::size_t kSealedBytesMax = 64u << 20;  // plaintext of one seal(), and its AAD
inline constexpr std::size_t kNoteBytesMax = 1u << 20;     // a signed note, as in Go's x/mod
inline constexpr std::size_t kNoteSignaturesMax = 100;     // the specification asks for 16 at least
inline constexpr std::size_t kCertificateAddressesMax = 64;  // of one certificate
inline constexpr Millis kCertificateLifetimeMax = days(36'500);

// --- object store ---
inline constexpr std::size_t kObjectBytesMax = 16u << 20;
inline constexpr std::size_t kObjectNameBytesMax = 128;
inline constexpr std::size_t kBasePartBytesMax = 4u << 20;  // one part of a base, but for one row

// --- object store in S3 ---
inline constexpr std::size_t kS3ConnectionsMax = 16;     // requests at a time; then calls wait
inline constexpr Millis kS3ConnectTimeout = seconds(5);  // name, TCP and TLS
inline constexpr Millis kS3StallTimeout = seconds(20);   // slower than the next for so long
inline constexpr std::int64_t kS3StallBytesPerSecond = 1024;
inline constexpr Millis kS3CallTimeout = seconds(60);  // all requests of a call together
inline constexpr int kS3TriesMax = 3;                  // of one request
inline constexpr Millis kS3RetryDelay = Millis{100};   // before the second; then four times longer
inline constexpr std::size_t kS3ErrorBytesMax = 16 * 1024;  // read of an answer that is no object
inline constexpr std::size_t kS3PrefixBytesMax = 512;
inline constexpr std::size_t kS3SecretBytesMax = 8 * 1024;  // key id, key or session token
inline constexpr std::size_t kS3CredentialsFileBytesMax = 64 * 1024;

// --- key store ---
inline constexpr std::size_t kWrappedKeyBytesMax = 4096;
inline constexpr std::size_t kKeyStoreQueueMax = 65'536;     // unanswered; then overloaded
inline constexpr std::size_t kKeyStoreBatchMax = 512;        // one write, one fsync
inline constexpr std::size_t kClusterKeysMax = 4u << 20;     // in memory; about 300 bytes each
inline constexpr std::size_t kKeyStoreFileBytes = 2u << 20;  // what destroying one key rewrites

// --- RocksDB stores, each ---
inline constexpr std::size_t kStoreWriteBufferBytes = 8u << 20;
inline constexpr int kStoreWriteBuffersMax = 2;
inline constexpr std::size_t kStoreBlockCacheBytes = 8u << 20;
inline constexpr std::size_t kStoreWalBytesMax = 32u << 20;
inline constexpr std::size_t kStoreInfoLogBytesMax = 1u << 20;
inline constexpr std::size_t kStoreInfoLogFilesMax = 2;
inline constexpr int kStoreOpenFilesMax = 256;
inline constexpr Millis kStoreFileRemovalMax = seconds(30);  // of files a rewrite made obsolete

// --- logs and metrics ---
inline constexpr std::size_t kLogQueueLinesMax = 4096;  // then the oldest is dropped and counted
inline constexpr std::size_t kLogLineBytesMax = 4096;   // PIPE_BUF: a pipe takes it whole
inline constexpr std::size_t kLogValueBytesMax = 1024;  // of one value
inline constexpr Millis kLogWriteTimeout{250};          // a reader that takes longer is stalled
inline constexpr std::size_t kMetricSeriesMax = 4096;   // of one process

// --- settings ---
inline constexpr std::size_t kConfigBytesMax = 1u << 20;  // of one settings or languages file
inline constexpr std::size_t kAllowedNetworksMax = 64;
inline constexpr std::size_t kWebhookRetriesMax = 32;
inline constexpr Millis kWebhookRetryDelayMax = days(7);
inline constexpr std::int64_t kSlotsMax = 256;  // executions at once on one host
inline constexpr std::size_t kLanguagesMax = 128;
inline constexpr std::size_t kBrokersMax = 32;                   // that log.url names
inline constexpr std::size_t kKafkaSettingsMax = 64;             // entries of log.kafka
inline constexpr std::size_t kKafkaSettingBytesMax = 64 * 1024;  // of one value: a list of CAs
inline constexpr std::size_t kTopicPrefixBytesMax = 64;
inline constexpr std::size_t kLaunchersMax = 64;  // that hosts join
inline constexpr std::int64_t kReplicationMax = 32;
inline constexpr Millis kLogAwayMin{100};  // bounds of gateway.log_away_ms
inline constexpr Millis kLogAwayMax = minutes(10);

// --- command line ---
inline constexpr std::size_t kCliResponseBytesMax = 16u << 20;

}  // namespace sandtrail::limits
