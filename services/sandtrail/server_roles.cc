// SPDX-License-Identifier: Apache-2.0
// Roles, and the projections they read. A process keeps only those it reads.
#include <unistd.h>

#include "gateway/read_model.h"
#include "http_beast/client.h"
#include "launcher/launcher_role.h"
#include "process_metrics.h"
#include "retention/retention_role.h"
#include "server_parts.h"
#include "webhooks/webhooks_role.h"

namespace sandtrail {
namespace {

constexpr int kWorkerThreads = 4;

std::vector<LanguageInfo> infos_of(const std::vector<Language>& languages) {
  std::vector<LanguageInfo> out;
  for (const Language& language : languages) {
    LanguageInfo info;
    info.name = language.name;
    info.file = language.file;
    info.defaults.memory_mib = language.memory_mib_default;
    info.defaults.processes = language.processes_default;
    out.push_back(std::move(info));
  }
  return out;
}

http::AddressPolicy policy_of(const Config& config) {
  return {config.webhooks.allow_private_addresses, config.webhooks.allow_cidrs};
}

std::string user_name() {
  const char* name = ::getlogin();
  return name == nullptr ? "uid " + std::to_string(::getuid()) : name;
}

}  // namespace

void ServerParts::make_runtime() {
  RuntimeOptions options;
  options.instance = instance;
  options.group = instance;
  options.events_partitions = plan.config.log.partitions();
  runtime = std::make_unique<Runtime>(options, *log, *store, clock, random);
}

Status ServerParts::add_roles() {
  workers = std::make_unique<WorkerPool>(kWorkerThreads);
  const auto home = [this](const OrgId& org) { return runtime->home(org); };
  if (plan.runs(ServerRole::launcher)) {
    runtime->add(make_launcher_projection());
    runtime->add(make_launcher_role(launcher->hosts(), keys->payloads(), workers->executor()));
  }
  if (plan.runs(ServerRole::billing)) {
    runtime->add(&platform_watch);
    runtime->add(
        make_billing_role(platform_watch, {plan.config.billing.microcredits_per_gib_core_second}));
  }
  if (plan.runs(ServerRole::retention)) {
    runtime->add(make_retention_role(keys->payloads(), workers->executor(), home));
  }
  if (plan.runs(ServerRole::webhooks)) ST_CHECK_OK(add_webhooks());
  if (plan.runs(ServerRole::auditor)) add_auditor();
  if (plan.runs(ServerRole::gateway)) {
    ST_ASSIGN(live, LiveParts::open(plan, launcher ? &launcher->live_output() : nullptr));
  }
  add_gateway();
  return {};
}

Status ServerParts::add_webhooks() {
  http::ClientOptions options;
  options.policy = policy_of(plan.config);
  options.ca_file = plan.config.webhooks.ca_file;
  ST_ASSIGN(client, http::make_client(std::move(options)));
  runtime->add(make_webhooks_projection());
  runtime->add(
      make_webhooks_role(*client, keys->payloads(), workers->executor(), random,
                         {plan.config.webhooks.retry_schedule, plan.config.server.public_url}));
  return {};
}

void ServerParts::add_auditor() {
  runtime->add(make_auditor_projection());
  runtime->add(&audit_watch);
  runtime->add(make_auditor_role(
      audit_watch, *signer, {plan.config.audit.origin, plan.config.audit.checkpoint_interval},
      [this](const TopicPartition& where, Proposal proposal, ProposalDone done) {
        runtime->propose(where, std::move(proposal), std::move(done));
      }));
}

void ServerParts::add_gateway() {
  GatewayOptions options;
  options.languages = infos_of(languages);
  options.addresses = policy_of(plan.config);
  options.retention_default = plan.config.executions.default_retention;
  options.denied_flush = plan.config.gateway.denied_flush;
  options.signup_credits = plan.config.billing.signup_credits;
  options.operator_name = user_name();
  options.log_away = plan.config.gateway.log_away;
  options.metrics = [this] {
    const Config::Log& at = plan.config.log;
    return process_metrics({metrics, *runtime, *log, launcher ? &launcher->hosts() : nullptr,
                            directory.path(),
                            at.embedded() ? static_cast<std::uint64_t>(at.free_bytes_min) : 0});
  };
  options.instance = instance;
  if (launcher) options.hosts = [this] { return launcher->status(); };
  const bool api = plan.runs(ServerRole::gateway);
  gateway = std::make_unique<Gateway>(
      std::move(options), GatewayParts{*runtime, *log, api ? &keys->keyring() : nullptr,
                                       api ? &keys->payloads() : nullptr, clock, random,
                                       workers->executor(), api ? &live->source() : nullptr});
  if (!api) return;
  runtime->add(std::make_unique<ReadModel>());
  runtime->add(gateway->observer());
}

}  // namespace sandtrail
