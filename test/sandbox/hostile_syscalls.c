// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hostile.h"

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif
#define NEW_FLAGS(apply)                                                            \
  apply(CLONE_NEWNS) apply(CLONE_NEWCGROUP) apply(CLONE_NEWUTS) apply(CLONE_NEWIPC) \
      apply(CLONE_NEWUSER) apply(CLONE_NEWPID) apply(CLONE_NEWNET)

static void namespaces(int argc, char** argv) {
  (void)argc, (void)argv;
#define TRY(flag) REFUSED(unshare(flag), EPERM, "unshare " #flag);
  NEW_FLAGS(TRY)
#undef TRY
#define TRY(flag) REFUSED(syscall(SYS_clone, (flag) | SIGCHLD, 0, 0, 0, 0), EPERM, "clone " #flag);
  NEW_FLAGS(TRY)
#undef TRY
  char args[88] = {0};
  REFUSED(syscall(SYS_clone3, args, sizeof args), ENOSYS, "clone3");
  const int fd = open("/proc/self/ns/net", O_RDONLY);
  HOLDS(fd >= 0, "own ns file");
  REFUSED(setns(fd, 0), EPERM, "setns");
}

static void mounts(int argc, char** argv) {
  (void)argc, (void)argv;
  REFUSED(mount("none", "/tmp", "tmpfs", 0, ""), EPERM, "mount");
  REFUSED(mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL), EPERM, "remount");
  REFUSED(umount2("/work", MNT_DETACH), EPERM, "umount2");
  REFUSED(umount2("/proc", MNT_DETACH), EPERM, "umount2");
  REFUSED(syscall(SYS_pivot_root, ".", "."), EPERM, "pivot_root");
  REFUSED(chroot("/work"), EPERM, "chroot");
  REFUSED(syscall(SYS_open_tree, -100, "/", 1), EPERM, "open_tree");
  REFUSED(syscall(SYS_move_mount, -1, "", -1, "", 0), EPERM, "move_mount");
  REFUSED(syscall(SYS_fsopen, "tmpfs", 0), EPERM, "fsopen");
  REFUSED(syscall(SYS_mount_setattr, -100, "/", 0, NULL, 0), EPERM, "mount_setattr");
}

static void other_processes(int argc, char** argv) {
  (void)argc, (void)argv;
  REFUSED(ptrace(PTRACE_TRACEME, 0, 0, 0), EPERM, "ptrace traceme");
  const pid_t child = fork();
  if (child == 0) pause();
  REFUSED(ptrace(PTRACE_ATTACH, child, 0, 0), EPERM, "ptrace attach");
  char byte = 0;
  struct {
    void* base;
    size_t length;
  } part = {&byte, 1};
  REFUSED(syscall(SYS_process_vm_readv, child, &part, 1, &part, 1, 0), EPERM, "process_vm_readv");
  REFUSED(syscall(SYS_process_vm_writev, child, &part, 1, &part, 1, 0), EPERM, "process_vm_writev");
  const int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
  REFUSED(syscall(SYS_pidfd_getfd, pidfd, 0, 0), EPERM, "pidfd_getfd");
  REFUSED(syscall(SYS_kcmp, child, getpid(), 0, 0, 0), EPERM, "kcmp");
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  REFUSED(kill(1, SIGKILL), EPERM, "signal to pid 1");
  REFUSED(kill(1, 0), EPERM, "signal to pid 1");
  REFUSED(kill(getppid(), SIGSTOP), EPERM, "signal to the agent");
  const int init = (int)syscall(SYS_pidfd_open, 1, 0);
  if (init >= 0) REFUSED(syscall(SYS_pidfd_send_signal, init, SIGTERM, NULL, 0), EPERM, "pidfd");
  REFUSED(open("/proc/1/mem", O_RDWR), ENOENT, "/proc/1/mem");
  REFUSED(open("/proc/1/fd", O_RDONLY), ENOENT, "/proc/1/fd");
  REFUSED(open("/proc/1/root", O_RDONLY), ENOENT, "/proc/1/root");
}

static void kernel_surface(int argc, char** argv) {
  (void)argc, (void)argv;
  char zeros[256] = {0};
  REFUSED(syscall(SYS_bpf, 0, zeros, sizeof zeros), EPERM, "bpf");
  REFUSED(syscall(SYS_perf_event_open, zeros, 0, -1, -1, 0), EPERM, "perf_event_open");
  REFUSED(syscall(SYS_io_uring_setup, 8, zeros), EPERM, "io_uring_setup");
  REFUSED(syscall(SYS_userfaultfd, 1), EPERM, "userfaultfd");
  REFUSED(syscall(SYS_memfd_secret, 0), EPERM, "memfd_secret");
  REFUSED(syscall(SYS_add_key, "user", "x", "y", 1, -3), EPERM, "add_key");
  REFUSED(syscall(SYS_request_key, "user", "x", NULL, -3), EPERM, "request_key");
  REFUSED(syscall(SYS_keyctl, 0, -3, 1, 0, 0), EPERM, "keyctl");
  REFUSED(syscall(SYS_modify_ldt, 0, zeros, sizeof zeros), EPERM, "modify_ldt");
  REFUSED(syscall(SYS_kexec_load, 0, 0, NULL, 0), EPERM, "kexec_load");
  REFUSED(syscall(SYS_init_module, zeros, sizeof zeros, ""), EPERM, "init_module");
  REFUSED(syscall(SYS_finit_module, 0, "", 0), EPERM, "finit_module");
  REFUSED(syscall(SYS_delete_module, "x", 0), EPERM, "delete_module");
  REFUSED(syscall(SYS_open_by_handle_at, -100, zeros, O_RDONLY), EPERM, "open_by_handle_at");
  REFUSED(syscall(SYS_name_to_handle_at, -100, "/", zeros, zeros, 0), EPERM, "name_to_handle_at");
  REFUSED(personality(ADDR_NO_RANDOMIZE), EPERM, "personality");
  HOLDS(personality(0xffffffff) != -1, "personality query");
  REFUSED(ioctl(0, TIOCSTI, "x"), EPERM, "TIOCSTI");
  REFUSED(syscall(SYS_ioctl, 0, TIOCSTI | (1ul << 40), "x"), EPERM, "TIOCSTI, upper half");
  REFUSED(syscall(SYS_inotify_add_watch, 0, "/usr/bin", 0xfff), EPERM, "inotify_add_watch");
  REFUSED(syscall(SYS_fanotify_init, 0, 0), EPERM, "fanotify_init");
  REFUSED(syscall(463), ENOSYS, "system call 463");
  REFUSED(syscall(1000), ENOSYS, "system call 1000");
}

static void whole_host(int argc, char** argv) {
  (void)argc, (void)argv;
  struct timespec time = {0, 0};
  struct timeval value = {0, 0};
  REFUSED(syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL), EPERM, "reboot");
  REFUSED(syscall(SYS_swapon, "/work/swap", 0), EPERM, "swapon");
  REFUSED(syscall(SYS_quotactl, 0, NULL, 0, NULL), EPERM, "quotactl");
  REFUSED(syscall(SYS_acct, "/work/acct"), EPERM, "acct");
  REFUSED(syscall(SYS_syslog, 3, NULL, 0), EPERM, "syslog");
  REFUSED(clock_settime(CLOCK_REALTIME, &time), EPERM, "clock_settime");
  REFUSED(settimeofday(&value, NULL), EPERM, "settimeofday");
  REFUSED(sethostname("x", 1), EPERM, "sethostname");
  REFUSED(syscall(SYS_iopl, 3), EPERM, "iopl");
  REFUSED(syscall(SYS_ioperm, 0, 1, 1), EPERM, "ioperm");
}

static void socket_families(int argc, char** argv) {
  (void)argc, (void)argv;
  for (long family = 0; family < 64; ++family) {
    if (family == AF_UNIX || family == AF_INET || family == AF_INET6) continue;
    char what[32];
    snprintf(what, sizeof what, "socket family %ld", family);
    REFUSED(syscall(SYS_socket, family, SOCK_STREAM, 0), EPERM, what);
    REFUSED(syscall(SYS_socket, family | (1l << 32), SOCK_RAW, 0), EPERM, what);
    int both[2];
    REFUSED(syscall(SYS_socketpair, family, SOCK_STREAM, 0, both), EPERM, what);
  }
  REFUSED(socket(AF_INET, SOCK_RAW, 1), EPERM, "raw socket");
  HOLDS(socket(AF_INET, SOCK_STREAM, 0) >= 0, "own TCP socket");
}

// A filter of its own may only take more away.
static void second_filter(int argc, char** argv) {
  (void)argc, (void)argv;
  struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const struct sock_fprog program = {1, &allow};
  HOLDS(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0, "own filter");
  REFUSED(mount("none", "/tmp", "tmpfs", 0, ""), EPERM, "mount after own filter");
  REFUSED(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL, "no_new_privs off");
  HOLDS(prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2, "filter in place");
}

// These two must be killed.
static void call_32_bit(int argc, char** argv) {
  (void)argc, (void)argv;
#ifdef __x86_64__
  long result = 0;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");  // getpid
  BROKEN("32-bit call returned %ld", result);
#endif
}

static void call_x32(int argc, char** argv) {
  (void)argc, (void)argv;
  BROKEN("x32 call returned %ld", syscall(SYS_getpid | 0x40000000));
}

const struct hostile_case syscall_cases[] = {
    {"namespaces", namespaces},
    {"mounts", mounts},
    {"other-processes", other_processes},
    {"kernel-surface", kernel_surface},
    {"whole-host", whole_host},
    {"socket-families", socket_families},
    {"second-filter", second_filter},
    {"call-32-bit", call_32_bit},
    {"call-x32", call_x32},
    {NULL, NULL},
};
