// SPDX-License-Identifier: Apache-2.0
#include "host_process.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>

#include "base/fd.h"
#include "base/file.h"
#include "cluster_tls.h"
#include "data_directory.h"
#include "data_plane.h"
#include "host/host_agent.h"
#include "host/host_runner.h"
#include "host_parts.h"
#include "http_beast/client.h"
#include "http_beast/open_files.h"
#include "http_beast/server.h"
#include "obs/log.h"
#include "obs/metrics.h"

namespace sandtrail {
namespace {

constexpr int kClientThreadsMax = 2;
constexpr Millis kStopDeadline = seconds(1);
constexpr const char* kBootIdFile = "/proc/sys/kernel/random/boot_id";

// Two hosts under one name would push each other out for ever.
Result<UniqueFd> lock_directory(const DataDirectory& directory) {
  const std::string path = directory.in("host.lock");
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return errno_error(path, errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error{ErrorCode::conflict, "another host lives in " + directory.path(),
                 "give each host a data directory of its own (--data-dir)"};
  }
  return fd;
}

std::string boot_id() {
  auto text = read_file(kBootIdFile, 128);
  if (!text.ok()) return "";
  while (text->ends_with('\n')) text->pop_back();
  return *text;
}

Result<std::vector<http::Url>> launchers_of(const Config& config) {
  std::vector<http::Url> out;
  for (const std::string& launcher : config.cluster.launchers) {
    ST_ASSIGN(http::Url url,
              http::parse_url((config.cluster.tls() ? "https://" : "http://") + launcher + "/"));
    out.push_back(std::move(url));
  }
  return out;
}

Result<std::unique_ptr<http::Client>> client_for(const Config& config) {
  http::ClientOptions options;
  options.policy.allow_private = true;  // launchers are named by the operator
  options.threads = std::min(kClientThreadsMax, static_cast<int>(config.cluster.launchers.size()));
  use_cluster_tls(config, "launcher", options);
  return http::make_client(std::move(options));
}

http::Response text_response(int status, std::string type, std::string body) {
  http::Response response;
  response.status = status;
  response.fields.add("Content-Type", std::move(type));
  response.body = std::move(body);
  return response;
}

}  // namespace

// Members stand in the order of construction; what is below uses what is above.
struct HostProcess::Impl {
  Impl(const Config& c, DataDirectory d) : config(c), directory(std::move(d)) {}
  ~Impl();

  Status open();
  Status listen();
  http::Response answer(const http::Request& request);
  std::string exposition();

  const Config config;
  const DataDirectory directory;
  UniqueFd lock;
  SystemClock clock;
  SystemRandom random;
  Metrics metrics;
  OutputHub live_output;
  std::unique_ptr<DataPlane> data_plane;  // null: off
  std::unique_ptr<HostParts> parts;
  std::unique_ptr<HostAgent> agent;
  std::unique_ptr<http::Client> client;  // ends before the agent: then no answer comes any more
  std::unique_ptr<HostRunner> runner;
  std::unique_ptr<http::Server> admin_server;
};

HostProcess::Impl::~Impl() {
  if (admin_server) admin_server->stop(kStopDeadline);
  admin_server.reset();
  runner.reset();
}

Status HostProcess::Impl::open() {
  ST_ASSIGN(lock, lock_directory(directory));
  HostAgentOptions options;
  ST_ASSIGN(options.launchers, launchers_of(config));
  options.boot = boot_id();
  ST_ASSIGN(client, client_for(config));
  ST_ASSIGN(std::vector<Language> languages, languages_of(config));
  ST_ASSIGN(data_plane, DataPlane::start(config, live_output));
  ST_ASSIGN(parts,
            HostParts::open(config, directory, std::move(languages),
                            data_plane ? data_plane->address() : "", live_output, clock, random));
  agent = std::make_unique<HostAgent>(std::move(options), parts->engine(), *client, clock, random,
                                      [this]() -> Result<std::int64_t> {
                                        ST_ASSIGN(const HostIdentity next,
                                                  directory.next_host_identity(clock, random));
                                        return next.epoch;
                                      });
  ST_CHECK_OK(listen());
  runner = std::make_unique<HostRunner>(*agent, parts->engine(), parts->reaper());
  return {};
}

Status HostProcess::Impl::listen() {
  const ListenAddress& where = config.server.admin_listen;
  if (where.off()) return {};
  http::ServerOptions options;
  options.address = where.address;
  options.port = where.port;
  const auto handler = [this](const http::Request& request,
                              const std::shared_ptr<http::Responder>& responder) {
    responder->respond(answer(request));
  };
  ST_ASSIGN(admin_server, http::start_server(std::move(options), handler, 1));
  return {};
}

http::Response HostProcess::Impl::answer(const http::Request& request) {
  const std::string plain = "text/plain; charset=utf-8";
  if (request.method != "GET") return text_response(405, plain, "only GET\n");
  if (request.path == "/livez") return text_response(200, plain, "ok\n");
  if (request.path == "/readyz") {
    if (agent->connected() > 0) return text_response(200, plain, "ok\n");
    return text_response(503, plain, "no launcher is connected\n");
  }
  if (request.path == "/metrics") {
    return text_response(200, std::string(Metrics::kContentType), exposition());
  }
  return text_response(404, plain, "try /metrics, /livez or /readyz\n");
}

std::string HostProcess::Impl::exposition() {
  const HostCounts counts = parts->engine().counts();
  const auto set = [this](const char* name, const char* help, auto value) {
    metrics.gauge(name, help).set(static_cast<double>(value));
  };
  const auto total = [this](const char* name, const char* help, std::uint64_t value) {
    const Counter counter = metrics.counter(name, help);
    counter.add(static_cast<double>(value) - counter.value());
  };
  total("host_launches_total", "Sandboxes launched by this process.", counts.launches);
  total("host_refusals_total", "Launches refused.", counts.refusals);
  total("host_stale_orders_total", "Orders of replaced launchers, dropped.", counts.stale_orders);
  total("host_discarded_total", "Runs ended because nobody renewed this host.", counts.discarded);
  total("host_fences_total", "Times that nobody renewed this host.", agent->fences());
  total("host_reaped_total", "Left-over sandboxes removed.", parts->reaper().reaped());
  set("host_running", "Executions that run now.", counts.running);
  set("host_slots", "Executions that may run at once.", parts->engine().info().slots);
  set("host_kept_results", "Results that no launcher has applied yet.", counts.kept);
  set("host_kept_bytes", "Bytes of them.", counts.kept_bytes);
  set("host_launchers_connected", "Launchers with an open session.", agent->connected());
  set("host_epoch", "Of this host.", parts->engine().info().epoch);
  return metrics.exposition();
}

HostProcess::HostProcess(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HostProcess::~HostProcess() = default;

Result<std::unique_ptr<HostProcess>> HostProcess::start(const Config& config,
                                                        const std::string& directory) {
  http::raise_open_files();
  ST_ASSIGN(DataDirectory opened, DataDirectory::open(directory));
  auto impl = std::make_unique<Impl>(config, std::move(opened));
  ST_CHECK_OK(impl->open());
  return std::unique_ptr<HostProcess>(new HostProcess(std::move(impl)));
}

std::string HostProcess::admin_url() const {
  if (!impl_->admin_server) return "";
  const std::string& address = impl_->config.server.admin_listen.address;
  return "http://" + ListenAddress{address, impl_->admin_server->port()}.text();
}

std::string HostProcess::data_address() const {
  return impl_->data_plane ? impl_->data_plane->address() : "";
}

int HostProcess::slots() const {
  return impl_->parts->engine().info().slots;
}

void HostProcess::stop() {
  const std::size_t left = impl_->runner->stop();
  if (left > 0) log_warn("results that nobody applied are gone", {{"results", left}});
}

}  // namespace sandtrail
