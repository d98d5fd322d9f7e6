// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

#include "hostile.h"

extern char** environ;

static int status_line_is(const char* key, const char* value) {
  FILE* const file = fopen("/proc/self/status", "r");
  char line[256];
  int same = 0;
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    const size_t length = strlen(key);
    if (strncmp(line, key, length) != 0 || line[length] != ':') continue;
    line[strcspn(line, "\n")] = '\0';
    const char* at = line + length + 1;
    same = strcmp(at + strspn(at, " \t"), value) == 0;
  }
  if (file != NULL) fclose(file);
  return same;
}

static void ids(int argc, char** argv) {
  (void)argc, (void)argv;
  uid_t real, effective, saved;
  HOLDS(getresuid(&real, &effective, &saved) == 0, "uids");
  HOLDS(real == 1000 && effective == 1000 && saved == 1000, "uids");
  HOLDS(getresgid(&real, &effective, &saved) == 0, "gids");
  HOLDS(real == 1000 && effective == 1000 && saved == 1000, "gids");
  HOLDS(getgroups(0, NULL) == 0, "supplementary groups");
  for (uid_t uid = 0; uid < 2000; uid += uid == 0 ? 999 : 1) {
    if (uid == 1000) continue;
    HOLDS(setuid(uid) == -1 && setgid(uid) == -1, "other id");
    HOLDS(setresuid(uid, uid, uid) == -1, "other id");
  }
  const gid_t group = 0;
  HOLDS(setgroups(1, &group) == -1, "setgroups");
  const char* const none = "0000000000000000";
  HOLDS(status_line_is("CapInh", none), "CapInh");
  HOLDS(status_line_is("CapPrm", none), "CapPrm");
  HOLDS(status_line_is("CapEff", none), "CapEff");
  HOLDS(status_line_is("CapBnd", none), "CapBnd");
  HOLDS(status_line_is("CapAmb", none), "CapAmb");
  HOLDS(status_line_is("NoNewPrivs", "1"), "NoNewPrivs");
  HOLDS(status_line_is("Seccomp", "2"), "Seccomp");
  HOLDS(status_line_is("TracerPid", "0"), "TracerPid");
}

static void surroundings(int argc, char** argv) {
  (void)argc, (void)argv;
  struct utsname name;
  HOLDS(uname(&name) == 0 && strcmp(name.nodename, "sandbox") == 0, "host name");
  int variables = 0;
  for (char** at = environ; *at != NULL; ++at, ++variables) {
    const int known = strncmp(*at, "PATH=", 5) == 0 || strncmp(*at, "HOME=", 5) == 0 ||
                      strncmp(*at, "TMPDIR=", 7) == 0 || strncmp(*at, "LANG=", 5) == 0 ||
                      strncmp(*at, "USER=", 5) == 0;
    HOLDS(known, *at);
  }
  HOLDS(variables == 5, "number of variables");
  HOLDS(getppid() == 1, "parent");
  HOLDS(getpid() < 10, "pid namespace");
  HOLDS(tcgetsid(0) == -1 && tcgetsid(1) == -1, "terminal");
  const mode_t mask = umask(0);
  HOLDS(mask == 022, "umask");
  char line[256] = "";
  FILE* const file = fopen("/proc/self/cgroup", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    // Our groups are the root here; a hierarchy we do not use shows the host's own path.
    HOLDS(strstr(line, "sandtrail") == NULL, line);
  }
}

static void signals_and_limits(int argc, char** argv) {
  (void)argc, (void)argv;
  sigset_t mask;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  for (int signal = 1; signal < 32; ++signal) {
    struct sigaction action;
    if (sigaction(signal, NULL, &action) != 0) continue;
    HOLDS(action.sa_handler == SIG_DFL, "a signal's disposition");
    HOLDS(sigismember(&mask, signal) == 0, "a blocked signal");
  }
  struct rlimit limit;
  HOLDS(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0, "core");
  HOLDS(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max <= 1024, "nofile");
  HOLDS(getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_max != RLIM_INFINITY, "fsize");
  HOLDS(getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_max != RLIM_INFINITY, "stack");
  HOLDS(getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_max <= 65536, "memlock");
  limit.rlim_cur = limit.rlim_max = RLIM_INFINITY;
  HOLDS(setrlimit(RLIMIT_NOFILE, &limit) == -1, "raising nofile");
  HOLDS(setrlimit(RLIMIT_CORE, &limit) == -1, "raising core");
  HOLDS(setpriority(PRIO_PROCESS, 0, -1) == -1, "priority");
}

const struct hostile_case identity_cases[] = {
    {"ids", ids},
    {"surroundings", surroundings},
    {"signals-and-limits", signals_and_limits},
    {NULL, NULL},
};
