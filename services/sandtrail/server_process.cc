// SPDX-License-Identifier: Apache-2.0
#include "server_process.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <thread>

#include "auditor/auditor_role.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/worker_pool.h"
#include "billing/billing_role.h"
#include "config/languages.h"
#include "data_directory.h"
#include "gateway/gateway.h"
#include "gateway/read_model.h"
#include "http_beast/client.h"
#include "http_beast/open_files.h"
#include "http_beast/server.h"
#include "launcher/builtin_host.h"
#include "launcher/launcher_role.h"
#include "live_output/output_hub.h"
#include "log_embedded/embedded_log.h"
#include "obs/log.h"
#include "obs/metrics.h"
#include "paths.h"
#include "process_metrics.h"
#include "retention/retention_role.h"
#include "runtime/runtime.h"
#include "sandbox_jail/jail_driver.h"
#include "sealing/payload.h"
#include "store_dir/object_store.h"
#include "store_rocksdb/key_store.h"
#include "store_rocksdb/kv_store.h"
#include "webhooks/webhooks_role.h"
#include "wire/topics.h"

namespace sandtrail {
namespace {

constexpr std::size_t kBlockCacheBytes = 16u << 20;
constexpr std::size_t kWriteBufferBytes = 24u << 20;
constexpr int kHttpThreads = 2;
constexpr int kWorkerThreads = 4;
constexpr Millis kStopDeadline = seconds(5);
constexpr Millis kTellEvery = seconds(5);
constexpr std::uint32_t kUidFirst = 200'000;
constexpr std::uint32_t kUidRanges = 4096;
constexpr std::uint32_t kUidsOfOne = 256;

// Takes the answer of a handler that is called within the process.
class LocalResponder final : public http::Responder {
 public:
  void respond(http::Response response) override { answer_.set_value(std::move(response)); }
  std::shared_ptr<http::Stream> start_stream(http::Response) override { return nullptr; }
  void on_closed(std::function<void()>) override {}
  std::future<http::Response> future() { return answer_.get_future(); }

 private:
  std::promise<http::Response> answer_;
};

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

// Servers on one machine, each with a data directory of its own, keep their cgroups apart, and none
// takes another's sandboxes for its own leftovers.
std::string instance_of(const HostId& host) {
  constexpr std::size_t kChars = 10;  // of the random end of the id
  const std::string text = host.text();
  return "sandtrail-" + text.substr(text.size() - kChars);
}

std::uint32_t uids_of(const HostId& host) {
  const std::uint32_t range = get_be16(host.view().substr(14)) % kUidRanges;
  return kUidFirst + range * kUidsOfOne;
}

// Lets time pass where there is no condition to wait for: roles tell nobody when they get live.
void pause_ms(std::int64_t span) {
  std::promise<void> never;
  never.get_future().wait_for(std::chrono::milliseconds(span));
}

std::string user_name() {
  const char* name = ::getlogin();
  return name == nullptr ? "uid " + std::to_string(::getuid()) : name;
}

}  // namespace

// Members stand in the order of construction; what is below uses what is above.
struct ServerProcess::Impl {
  explicit Impl(const Config& c, DataDirectory d) : config(c), directory(std::move(d)) {}
  ~Impl();

  Status open_stores();
  Status open_sandboxes();
  Status add_roles();
  Status serve();
  http::ServerOptions listen_at(const ListenAddress& where);

  const Config config;
  const DataDirectory directory;
  SystemClock clock;
  SystemRandom random;
  Metrics metrics;

  std::unique_ptr<SandboxDriver> driver;
  std::unique_ptr<EventLog> log;
  std::shared_ptr<RocksDbMemory> memory;
  std::unique_ptr<KvStore> store;
  std::unique_ptr<KeyStore> keys;
  std::unique_ptr<ObjectStore> objects;
  std::unique_ptr<Keyring> keyring;
  std::unique_ptr<Payloads> payloads;
  std::vector<Language> languages;
  OutputHub live_output;
  std::unique_ptr<BuiltinHost> host;
  std::unique_ptr<Hosts> hosts;
  std::unique_ptr<NoteSigner> signer;
  PlatformWatch platform_watch;
  AuditWatch audit_watch;
  std::unique_ptr<Runtime> runtime;
  std::unique_ptr<Gateway> gateway;
  std::unique_ptr<http::Client> client;
  std::unique_ptr<WorkerPool> workers;
  std::unique_ptr<http::Server> operator_server;
  std::unique_ptr<http::Server> admin_server;
  std::unique_ptr<http::Server> public_server;
};

ServerProcess::Impl::~Impl() {
  // Whoever waits is answered with what is known, while there is still a server to do so.
  if (gateway) gateway->end_waiting();
  for (auto* server : {&public_server, &admin_server, &operator_server}) {
    if (*server) (*server)->stop(kStopDeadline);
  }
  if (gateway) gateway->stop();
  if (runtime) runtime->stop();
  host.reset();
  client.reset();
  workers.reset();
  public_server.reset();
  admin_server.reset();
  operator_server.reset();
  if (log) log->close(kStopDeadline);
}

Status ServerProcess::Impl::open_sandboxes() {
  const std::string file = config.executions.languages_file.empty()
                               ? installed_file("languages.toml")
                               : config.executions.languages_file;
  ST_ASSIGN(languages, load_languages(file));
  int slots = static_cast<int>(config.executions.slots);
  if (slots == 0) slots = std::max(2, static_cast<int>(std::thread::hardware_concurrency()));
  ST_ASSIGN(const HostIdentity identity, directory.next_host_identity(clock, random));
  JailOptions options;
  options.slots_max = slots;
  options.instance = instance_of(identity.id);
  options.uid_base = uids_of(identity.id);
  ST_ASSIGN(auto jail, JailDriver::start(options, clock));
  for (const std::string& name : jail->list_owned()) {
    log_warn("reaping what an earlier run left behind", {{"name", name}});
    ST_CHECK_OK(jail->reap(name));
  }
  ST_CHECK_OK(jail->self_test());
  driver = std::move(jail);
  host = std::make_unique<BuiltinHost>(
      *driver, random,
      BuiltinHostOptions{identity.id, identity.epoch, slots, languages, &live_output});
  return {};
}

Status ServerProcess::Impl::open_stores() {
  const std::uint64_t free = free_bytes(directory.path());
  if (free < limits::kStartFreeBytesMin) {
    return Error{ErrorCode::disk_full,
                 "the disk of " + directory.path() + " has " + std::to_string(free) +
                     " bytes free; a start needs " + std::to_string(limits::kStartFreeBytesMin),
                 "make room, then start again: nothing is lost"};
  }
  EmbeddedLogOptions log_options;
  log_options.free_bytes_min = static_cast<std::uint64_t>(config.log.free_bytes_min);
  ST_ASSIGN(log, open_embedded_log(directory.in("log"), log_options, clock, random));
  // Nothing was ever appended: no topic was made yet.
  const bool fresh = log->partitions(std::string(topic_of(TopicKind::events))) == 0;
  std::error_code ignored;
  if (!fresh && !std::filesystem::exists(directory.in("keys"), ignored)) {
    return Error{ErrorCode::not_found, directory.in("keys") + " is gone, but there is a log",
                 "restore it from its backup: payloads cannot be read without it"};
  }
  memory = RocksDbMemory::create(kBlockCacheBytes, kWriteBufferBytes);
  ST_ASSIGN(store, open_rocksdb_kv_store(directory.in("store"), {memory}));
  // A request's key comes before its record: neither is taken when the disk is nearly full.
  ST_ASSIGN(keys,
            open_rocksdb_key_store(directory.in("keys"), {memory, log_options.free_bytes_min}));
  ST_ASSIGN(objects, open_directory_object_store(directory.in("objects")));
  ST_ASSIGN(SecretBytes root, directory.root_key(fresh, random));
  keyring = std::make_unique<Keyring>(std::move(root), *keys, clock, random);
  payloads = std::make_unique<Payloads>(*keyring, *objects);
  ST_ASSIGN(NoteSigner note_signer, directory.audit_signer(config.audit.origin, random));
  signer = std::make_unique<NoteSigner>(std::move(note_signer));
  return {};
}

Status ServerProcess::Impl::add_roles() {
  workers = std::make_unique<WorkerPool>(kWorkerThreads);
  RuntimeOptions options;
  options.instance = "dev-" + std::to_string(::getpid());
  options.events_partitions = config.log.partitions();
  runtime = std::make_unique<Runtime>(options, *log, *store, clock, random);
  const auto home = [this](const OrgId& org) { return runtime->home(org); };
  hosts = std::make_unique<Hosts>(home);
  hosts->add(*host);

  http::ClientOptions client_options;
  client_options.policy = policy_of(config);
  client_options.ca_file = config.webhooks.ca_file;
  ST_ASSIGN(client, http::make_client(std::move(client_options)));

  for (auto& projection : make_projections()) runtime->add(std::move(projection));
  runtime->add(&platform_watch);
  runtime->add(&audit_watch);
  runtime->add(make_launcher_role(*hosts, *payloads, workers->executor()));
  runtime->add(
      make_billing_role(platform_watch, {config.billing.microcredits_per_gib_core_second}));
  runtime->add(make_retention_role(*payloads, workers->executor(), home));
  runtime->add(make_webhooks_role(*client, *payloads, workers->executor(), random,
                                  {config.webhooks.retry_schedule, config.server.public_url}));
  runtime->add(make_auditor_role(
      audit_watch, *signer, {config.audit.origin, config.audit.checkpoint_interval},
      [this](const TopicPartition& where, Proposal proposal, ProposalDone done) {
        runtime->propose(where, std::move(proposal), std::move(done));
      }));

  GatewayOptions gateway_options;
  gateway_options.languages = infos_of(languages);
  gateway_options.addresses = policy_of(config);
  gateway_options.retention_default = config.executions.default_retention;
  gateway_options.denied_flush = config.gateway.denied_flush;
  gateway_options.signup_credits = config.billing.signup_credits;
  gateway_options.operator_name = user_name();
  gateway_options.metrics = [this] { return process_metrics(metrics, *runtime, *hosts); };
  gateway = std::make_unique<Gateway>(
      std::move(gateway_options), GatewayParts{*runtime, *log, *keyring, *payloads, clock, random,
                                               workers->executor(), &live_output});
  runtime->add(gateway->observer());
  return runtime->start();
}

http::ServerOptions ServerProcess::Impl::listen_at(const ListenAddress& where) {
  http::ServerOptions options;
  options.address = where.address;
  options.port = where.port;
  options.reject = [this](int status, const std::string& detail) {
    return Gateway::reject(status, detail, fresh_request_id(random));
  };
  return options;
}

Status ServerProcess::Impl::serve() {
  const ListenAddress socket{"unix:" + directory.in("operator.sock"), 0};
  ST_ASSIGN(operator_server, http::start_server(listen_at(socket), gateway->operator_handler(), 1));
  if (!config.server.admin_listen.off()) {
    ST_ASSIGN(admin_server, http::start_server(listen_at(config.server.admin_listen),
                                               gateway->admin_handler(), 1));
  }
  ST_ASSIGN(public_server, http::start_server(listen_at(config.server.listen),
                                              gateway->public_handler(), kHttpThreads));
  return {};
}

ServerProcess::ServerProcess(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ServerProcess::~ServerProcess() = default;

Result<std::unique_ptr<ServerProcess>> ServerProcess::start(const Config& config) {
  http::raise_open_files();  // the stores open many as well
  ST_ASSIGN(DataDirectory directory, DataDirectory::open(config.data_dir));
  auto impl = std::make_unique<Impl>(config, std::move(directory));
  // The log's lock comes first: a second server must not reap the first one's sandboxes.
  ST_CHECK_OK(impl->open_stores());
  ST_CHECK_OK(impl->open_sandboxes());
  ST_CHECK_OK(impl->add_roles());
  ST_CHECK_OK(impl->serve());
  return std::unique_ptr<ServerProcess>(new ServerProcess(std::move(impl)));
}

namespace {

std::string http_url(const ListenAddress& configured, std::uint16_t port) {
  return "http://" + ListenAddress{configured.address, port}.text();
}

}  // namespace

std::string ServerProcess::url() const {
  return http_url(impl_->config.server.listen, impl_->public_server->port());
}

std::string ServerProcess::admin_url() const {
  if (!impl_->admin_server) return "";
  return http_url(impl_->config.server.admin_listen, impl_->admin_server->port());
}

Status ServerProcess::wait_until_ready(Millis deadline, const std::function<bool()>& stopped) {
  const std::int64_t start_us = impl_->clock.monotonic_us();
  const std::int64_t until_us = start_us + deadline.count * 1000;
  std::int64_t told_us = start_us;
  for (;;) {
    std::string because = impl_->runtime->not_ready_because();
    if (because.empty()) {
      for (const PartitionStatus& partition : impl_->runtime->status()) {
        for (const RoleStatus& role : partition.roles) {
          if (!role.live) because = role.role + " is not live on " + partition.where.text();
        }
      }
    }
    if (because.empty()) return {};
    if (impl_->clock.monotonic_us() > until_us) {
      return Error{ErrorCode::timeout, "not ready in time: " + because, "see the log on stderr"};
    }
    if (stopped()) return Error{ErrorCode::cancelled, "stopped before it was ready", because};
    if (impl_->clock.monotonic_us() - told_us > kTellEvery.count * 1000) {
      told_us = impl_->clock.monotonic_us();
      log_warn("not ready yet", {{"because", because}, {"log", impl_->log->health().reason}});
    }
    pause_ms(5);
  }
}

Result<http::Response> ServerProcess::ask_operator(http::Request request, Millis deadline) {
  auto responder = std::make_shared<LocalResponder>();
  auto answer = responder->future();
  impl_->gateway->operator_handler()(std::move(request), responder);
  if (answer.wait_for(std::chrono::milliseconds(deadline.count)) != std::future_status::ready) {
    return Error{ErrorCode::timeout, "the operator's request was not answered in time", ""};
  }
  return answer.get();
}

}  // namespace sandtrail
