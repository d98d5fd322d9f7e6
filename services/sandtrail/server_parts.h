// SPDX-License-Identifier: Apache-2.0
// What one process is wired from. A part is opened only if a role of the plan needs it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "auditor/auditor_role.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/worker_pool.h"
#include "billing/billing_role.h"
#include "data_directory.h"
#include "gateway/gateway.h"
#include "http/client.h"
#include "http/server.h"
#include "key_parts.h"
#include "launcher_parts.h"
#include "live_parts.h"
#include "obs/metrics.h"
#include "process_plan.h"

namespace sandtrail {

// Members stand in the order of construction; what is below uses what is above.
struct ServerParts {
  ServerParts(ProcessPlan plan_in, DataDirectory directory_in)
      : plan(std::move(plan_in)), directory(std::move(directory_in)) {}
  ~ServerParts();
  ServerParts(const ServerParts&) = delete;
  ServerParts& operator=(const ServerParts&) = delete;

  // Everything that is local: waits for no broker. Errors say what to do.
  Status open();

  const ProcessPlan plan;
  const DataDirectory directory;
  SystemClock clock;
  SystemRandom random;
  Metrics metrics;
  std::string instance;  // in claims and reports: role, machine, process

  std::unique_ptr<EventLog> log;
  std::shared_ptr<RocksDbMemory> memory;
  std::unique_ptr<KvStore> store;
  std::unique_ptr<KeyParts> keys;      // who opens payloads
  std::unique_ptr<NoteSigner> signer;  // auditor
  std::vector<Language> languages;     // gateway, and a launcher with its own host
  std::unique_ptr<Runtime> runtime;
  std::unique_ptr<LauncherParts> launcher;
  PlatformWatch platform_watch;
  AuditWatch audit_watch;
  std::unique_ptr<WorkerPool> workers;
  std::unique_ptr<http::Client> client;  // webhooks
  std::unique_ptr<LiveParts> live;       // gateway
  std::unique_ptr<Gateway> gateway;      // every role: health, and what operators ask
  std::unique_ptr<http::Server> operator_server;
  std::unique_ptr<http::Server> admin_server;   // null: off
  std::unique_ptr<http::Server> public_server;  // gateway

 private:
  Status open_stores();
  // server_roles.cc
  OpenObjects bases_opener();
  void make_runtime();
  Status add_roles();
  Status add_webhooks();
  void add_auditor();
  void add_gateway();
  // server_listeners.cc
  Status listen();
};

}  // namespace sandtrail
