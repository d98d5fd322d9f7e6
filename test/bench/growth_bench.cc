// SPDX-License-Identifier: Apache-2.0
// What a long log costs beside a short one: for each length, a process appends a history of
// executions and folds it with all roles' projections, some records at a time, as a server does.
// Then it is killed while it appends, and another one opens what is left and folds to its end.
//
//   growth_bench [directory=/tmp] [records=1000000] [turns=3]
//       lengths of 10^4, 10^5 … up to `records`
//   growth_bench fill DIRECTORY RECORDS   (started by the first form)
//   growth_bench open DIRECTORY           (the same)
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include "all_projections.h"
#include "base/clock.h"
#include "base/fd.h"
#include "execution_history.h"
#include "figures.h"
#include "log_embedded/embedded_log.h"
#include "runtime/runtime.h"
#include "store_rocksdb/kv_store.h"
#include "wire/event_codec.h"
#include "wire/topics.h"

using namespace sandtrail;

namespace {

constexpr std::size_t kShortest = 10'000;
// Between events, so that a short log is old enough, too: the core forgets what ended a day ago.
constexpr Millis kBetween = seconds(5);
constexpr std::size_t kTogether = 24;  // two minutes of them, which is as old as an event may be
constexpr useconds_t kLivesOnUs = 300'000;
const SystemClock system_clock;
const TopicPartition kEvents{kEventsTopic, 0};

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "growth_bench: %s\n", why.c_str());
  std::exit(1);
}

double since_us(std::int64_t start_us) {
  return static_cast<double>(system_clock.monotonic_us() - start_us);
}

double resident_mib() {
  std::ifstream in("/proc/self/statm");
  double all = 0;
  double resident = 0;
  in >> all >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

class Counter final : public Observer {
 public:
  void on_committed(const PartitionView& view, const std::vector<Folded>& batch) override {
    if (view.where() == kEvents) records += batch.size();
  }
  std::size_t records = 0;
};

// One process: its log, its store and its folds.
class Site {
 public:
  Site(const std::string& directory, UnixMs now) : clock_(now) {
    auto log = open_embedded_log(directory + "/log", {}, clock_, random_);
    if (!log.ok()) fail(log.error().text());
    log_ = std::move(*log);
    auto store = open_rocksdb_kv_store(directory + "/store");
    if (!store.ok()) fail(store.error().text());
    store_ = std::move(*store);
    RuntimeOptions options;
    options.events_partitions = 1;
    options.threads = false;
    runtime_ = std::make_unique<Runtime>(options, *log_, *store_, clock_, random_);
    for (auto& projection : bench::all_projections()) runtime_->add(std::move(projection));
    runtime_->add(&counter_);
    if (const Status started = runtime_->start(); !started.ok()) fail(started.error().text());
  }

  // Microseconds until they are acknowledged.
  double append(std::vector<Event>& events) {
    std::vector<Record> records;
    for (const Event& event : events) {
      auto record = encode_event(event);
      if (!record.ok()) fail(record.error().text());
      records.push_back(std::move(*record));
    }
    clock_.advance(events.back().time - clock_.now());
    std::atomic<std::size_t> answered{0};
    const std::int64_t start_us = system_clock.monotonic_us();
    for (Record& record : records) {
      log_->append(kEvents, std::move(record), [&answered](const AppendOutcome& outcome) {
        if (!outcome.committed()) fail(outcome.error.text());
        ++answered;
        answered.notify_one();
      });
    }
    for (std::size_t seen = answered; seen < records.size(); seen = answered) answered.wait(seen);
    return since_us(start_us);
  }
  // Microseconds of this thread until `records` in all are folded by this process.
  double fold(std::size_t records) {
    const std::int64_t start_us = bench::thread_cpu_us();
    while (counter_.records < records) {
      if (!runtime_->step(0)) fail("the partition stopped: " + runtime_->not_ready_because());
    }
    return static_cast<double>(bench::thread_cpu_us() - start_us);
  }
  void fold_all() {
    while (runtime_->step(0)) {
    }
  }

 private:
  ManualClock clock_;
  SystemRandom random_;
  Counter counter_;
  std::unique_ptr<EventLog> log_;
  std::unique_ptr<KvStore> store_;
  std::unique_ptr<Runtime> runtime_;  // last: uses the others
};

// Figures are of the second half. Goes on, without folding, until it is killed.
[[noreturn]] void fill(const std::string& directory, std::size_t records) {
  bench::ExecutionHistory history(7, kBetween);
  Site site(directory, UnixMs{1'700'000'000'000});
  double append_us = 0;
  double fold_us = 0;
  std::vector<double> resident;
  std::vector<Event> events;
  std::size_t measured = 0;
  for (std::size_t n = 0; n < 2 * records; n += kTogether) {
    events.clear();
    for (std::size_t i = 0; i < kTogether; ++i) events.push_back(history.next());
    const double appended_us = site.append(events);
    if (n >= records) continue;
    const double folded_us = site.fold(n + kTogether);
    if (n + kTogether >= records) {
      std::printf("%.4f %.4f %.2f\n", append_us / static_cast<double>(measured),
                  fold_us / static_cast<double>(measured), bench::median(resident));
      std::fflush(stdout);
    } else if (n >= records / 2) {
      append_us += appended_us;
      fold_us += folded_us;
      measured += kTogether;
      if (measured % (50 * kTogether) == 0 || resident.empty()) resident.push_back(resident_mib());
    }
  }
  fail("it was not killed");
}

// This program in another form; its first line.
class Child {
 public:
  explicit Child(std::vector<std::string> arguments) {
    int ends[2];
    if (::pipe(ends) != 0) fail("no pipe");
    out_.reset(ends[0]);
    const UniqueFd in(ends[1]);
    pid_ = ::fork();
    if (pid_ < 0) fail("no process");
    if (pid_ > 0) return;
    ::dup2(in.get(), STDOUT_FILENO);
    std::string program = "growth_bench";
    std::vector<char*> argv{program.data()};
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    ::execv("/proc/self/exe", argv.data());
    ::_exit(127);
  }
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  std::string line() const {
    std::string out;
    for (char letter = 0; ::read(out_.get(), &letter, 1) == 1 && letter != '\n';) out += letter;
    if (out.empty()) fail("a process ended early");
    return out;
  }

 private:
  UniqueFd out_;
  pid_t pid_ = -1;
};

struct Figures {
  std::vector<double> append_us, fold_us, resident_mib, open_ms;
};

void measure(const std::string& directory, std::size_t records, Figures& into) {
  std::array<double, 3> said{};
  {
    const Child child({"fill", directory, std::to_string(records)});
    if (std::sscanf(child.line().c_str(), "%lf %lf %lf", &said[0], &said[1], &said[2]) != 3) {
      fail("a process said something else");
    }
    ::usleep(kLivesOnUs);
  }
  into.append_us.push_back(said[0]);
  into.fold_us.push_back(said[1]);
  into.resident_mib.push_back(said[2]);
  const std::int64_t start_us = system_clock.monotonic_us();
  {
    const Child child({"open", directory});
    child.line();
    into.open_ms.push_back(since_us(start_us) / 1000);
  }
  std::filesystem::remove_all(directory);
}

void print(std::size_t records, const Figures& figures, const Figures& shortest) {
  const std::string at = "at " + std::to_string(records) + " records: ";
  const std::string beside = "at " + std::to_string(kShortest) + " records";
  const auto row = [&](const char* what, const char* unit, std::vector<double> Figures::*figure) {
    bench::print_row(at + what, unit, bench::median(figures.*figure), beside.c_str(),
                     bench::median(shortest.*figure));
  };
  row("append, a record", "us", &Figures::append_us);
  row("fold by all roles, a record, CPU", "us", &Figures::fold_us);
  row("resident memory", "MiB", &Figures::resident_mib);
  row("open after kill -9, folded to the end", "ms", &Figures::open_ms);
}

}  // namespace

int main(int count, char** arguments) {
  const std::string first = count > 1 ? arguments[1] : "/tmp";
  if (first == "fill" && count == 4) fill(arguments[2], std::strtoul(arguments[3], nullptr, 10));
  if (first == "open" && count == 3) {
    Site site(arguments[2], UnixMs{4'000'000'000'000});  // log time is never ahead of it
    site.fold_all();
    std::printf("folded\n");
    std::fflush(stdout);
    ::_exit(0);
  }
  std::string directory = first + "/growth-bench-XXXXXX";
  const std::size_t records = count > 2 ? std::strtoul(arguments[2], nullptr, 10) : 1'000'000;
  const int turns = count > 3 ? std::atoi(arguments[3]) : 3;
  if (records < kShortest || turns < 1 || ::mkdtemp(directory.data()) == nullptr) {
    fail("usage: growth_bench [directory] [records] [turns]");
  }
  std::map<std::size_t, Figures> told;
  for (int turn = 0; turn < turns; ++turn) {
    for (std::size_t length = kShortest; length <= records; length *= 10) {
      measure(directory + "/site", length, told[length]);
    }
  }
  for (const auto& [length, figures] : told) print(length, figures, told[kShortest]);
  std::filesystem::remove_all(directory);
  return 0;
}
