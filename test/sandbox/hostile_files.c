// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hostile.h"

static void host_files(int argc, char** argv) {
  (void)argc, (void)argv;
  const char* const absent[] = {"/root",
                                "/home",
                                "/var",
                                "/run",
                                "/boot",
                                "/sys",
                                "/mnt",
                                "/opt",
                                "/srv",
                                "/media",
                                "/etc/shadow",
                                "/etc/hostname",
                                "/etc/ssh",
                                "/etc/resolv.conf",
                                "/etc/machine-id",
                                "/old_root"};
  for (size_t i = 0; i < sizeof absent / sizeof *absent; ++i) {
    REFUSED(open(absent[i], O_RDONLY), ENOENT, absent[i]);
  }
  // The canary of the test, outside.
  if (argc > 2) REFUSED(open(argv[2], O_RDONLY), ENOENT, argv[2]);
  char up[256] = "/work";
  for (int i = 0; i < 40; ++i) strcat(up, "/..");
  strcat(up, "/root");
  REFUSED(open(up, O_RDONLY), ENOENT, "many dots");
}

static void read_only(int argc, char** argv) {
  (void)argc, (void)argv;
  const char* const paths[] = {"/x",     "/usr/x",      "/usr/bin/x", "/usr/lib/x",
                               "/etc/x", "/etc/passwd", "/dev/x",     "/etc/alternatives/x"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; ++i) {
    HOLDS(open(paths[i], O_WRONLY | O_CREAT, 0644) == -1, paths[i]);
    HOLDS(mkdir(paths[i], 0755) == -1, paths[i]);
  }
  HOLDS(unlink("/usr/bin/env") == -1, "unlink in /usr");
  HOLDS(rename("/usr/bin/env", "/usr/bin/env2") == -1, "rename in /usr");
  HOLDS(link("/usr/bin/env", "/work/env") == -1, "hard link out of /usr");
  HOLDS(chmod("/usr/bin/env", 04755) == -1, "chmod in /usr");
}

static void proc_files(int argc, char** argv) {
  (void)argc, (void)argv;
  const char* const absent[] = {
      "/proc/sys",     "/proc/sysrq-trigger", "/proc/kcore",      "/proc/kallsyms",
      "/proc/kmsg",    "/proc/keys",          "/proc/timer_list", "/proc/cpuinfo",
      "/proc/cmdline", "/proc/version",       "/proc/modules",    "/proc/sys/kernel/core_pattern"};
  for (size_t i = 0; i < sizeof absent / sizeof *absent; ++i) {
    REFUSED(open(absent[i], O_RDONLY), ENOENT, absent[i]);
  }
  DIR* const stream = opendir("/proc");
  const struct dirent* entry = NULL;
  while (stream != NULL && (entry = readdir(stream)) != NULL) {
    const long pid = strtol(entry->d_name, NULL, 10);
    const int known = entry->d_name[0] == '.' || strcmp(entry->d_name, "self") == 0 ||
                      strcmp(entry->d_name, "thread-self") == 0 || pid == getpid();
    HOLDS(known, entry->d_name);
  }
  HOLDS(open("/proc/self/uid_map", O_WRONLY) == -1 ||
            write(open("/proc/self/uid_map", O_WRONLY), "0 0 1", 5) == -1,
        "uid_map");
}

static void devices(int argc, char** argv) {
  (void)argc, (void)argv;
  const char* const known[] = {".",       "..", "null",  "zero",   "full",   "random",
                               "urandom", "fd", "stdin", "stdout", "stderr", "shm"};
  DIR* const stream = opendir("/dev");
  const struct dirent* entry = NULL;
  while (stream != NULL && (entry = readdir(stream)) != NULL) {
    int found = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; ++i) {
      found |= strcmp(entry->d_name, known[i]) == 0;
    }
    HOLDS(found, entry->d_name);
  }
  HOLDS(mknod("/work/disk", S_IFBLK | 0666, (254 << 8)) == -1, "block device");
  HOLDS(mknod("/work/memory", S_IFCHR | 0666, (1 << 8) | 1) == -1, "character device");
  HOLDS(mknod("/tmp/null", S_IFCHR | 0666, (1 << 8) | 3) == -1, "even a harmless device");
  REFUSED(open("/dev/tty", O_RDWR), ENOENT, "/dev/tty");
  const int null = open("/dev/null", O_RDWR);
  HOLDS(null >= 0 && write(null, "x", 1) == 1, "/dev/null");
  HOLDS(access("/dev/urandom", R_OK) == 0, "/dev/urandom");
}

static void descriptors(int argc, char** argv) {
  (void)argc, (void)argv;
  for (int fd = 3; fd < 4096; ++fd) HOLDS(fcntl(fd, F_GETFD) == -1, "a descriptor beyond 2");
  char cwd[64] = "";
  HOLDS(getcwd(cwd, sizeof cwd) != NULL && strcmp(cwd, "/work") == 0, "work directory");
  // What 0, 1 and 2 lead to is the program's own.
  for (int fd = 0; fd < 3; ++fd) {
    struct stat info;
    HOLDS(fstat(fd, &info) == 0 &&
              (S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode) || S_ISREG(info.st_mode)),
          "kind of 0, 1, 2");
    HOLDS(!S_ISFIFO(info.st_mode) || info.st_uid == getuid(), "owner of 0, 1, 2");
  }
  HOLDS(fchdir(1) == -1, "a pipe is no directory");
}

static void mount_flags(int argc, char** argv) {
  (void)argc, (void)argv;
  const char* const paths[] = {"/", "/usr", "/work", "/tmp", "/dev/shm", "/proc", "/dev"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; ++i) {
    struct statvfs info;
    HOLDS(statvfs(paths[i], &info) == 0 && (info.f_flag & ST_NOSUID) != 0, paths[i]);
  }
  struct statvfs usr;
  HOLDS(statvfs("/usr", &usr) == 0 && (usr.f_flag & ST_RDONLY) != 0, "/usr");
  struct statvfs work;
  HOLDS(statvfs("/work", &work) == 0 && (work.f_flag & ST_NODEV) != 0, "/work");
}

static void setuid_program(int argc, char** argv) {
  (void)argc, (void)argv;
  const char* const programs[] = {"/usr/bin/su", "/usr/bin/mount", "/usr/bin/passwd"};
  for (size_t i = 0; i < sizeof programs / sizeof *programs; ++i) {
    if (access(programs[i], X_OK) != 0) continue;
    const pid_t child = fork();
    if (child == 0) {
      const int null = open("/dev/null", O_RDWR);
      dup2(null, 1), dup2(null, 2);
      execl(programs[i], programs[i], "-c", "id", NULL);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
  }
  HOLDS(geteuid() == 1000, "effective uid");
  const int file = open("/work/setuid", O_WRONLY | O_CREAT, 0755);
  HOLDS(file >= 0, "own file");
  HOLDS(fchown(file, 0, 0) == -1, "own file to root");
}

// What another sandbox, or the one before in this slot, could have left.
static void leave_files(int argc, char** argv) {
  (void)argc, (void)argv;
  const char* const paths[] = {"/work/left", "/tmp/left", "/dev/shm/left"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; ++i) {
    HOLDS(access(paths[i], F_OK) == -1, paths[i]);
    HOLDS(open(paths[i], O_WRONLY | O_CREAT | O_EXCL, 0666) >= 0, paths[i]);
  }
}

const struct hostile_case file_cases[] = {
    {"host-files", host_files},   {"read-only", read_only},           {"proc-files", proc_files},
    {"devices", devices},         {"descriptors", descriptors},       {"mount-flags", mount_flags},
    {"leave-files", leave_files}, {"setuid-program", setuid_program}, {NULL, NULL},
};
