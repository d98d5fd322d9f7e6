// SPDX-License-Identifier: Apache-2.0
// Greed: these end by a limit, or survive its refusal.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hostile.h"

static void fork_bomb(int argc, char** argv) {
  (void)argc, (void)argv;
  for (;;) (void)!fork();
}

static void* sleep_on(void* nothing) {
  pause();
  return nothing;
}

static void thread_bomb(int argc, char** argv) {
  (void)argc, (void)argv;
  int made = 0;
  pthread_t thread;
  while (made < 10000 && pthread_create(&thread, NULL, sleep_on, NULL) == 0) ++made;
  HOLDS(made < 64, "number of threads");
}

static void memory_bomb(int argc, char** argv) {
  (void)argc, (void)argv;
  for (;;) {
    char* const block = malloc(1 << 20);
    if (block != NULL) memset(block, 1, 1 << 20);
  }
}

static void lock_memory(int argc, char** argv) {
  (void)argc, (void)argv;
  void* const block =
      mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  HOLDS(mlock(block, 1 << 20) == -1, "mlock");
}

// Fills one file until it is refused; all writable directories share one limit.
static void fill_disk(int argc, char** argv) {
  (void)argc, (void)argv;
  signal(SIGXFSZ, SIG_IGN);
  static char block[1 << 16];
  long total = 0;
  const char* const paths[] = {"/work/fill", "/tmp/fill", "/dev/shm/fill"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; ++i) {
    const int fd = open(paths[i], O_WRONLY | O_CREAT, 0600);
    for (ssize_t count; (count = write(fd, block, sizeof block)) > 0;) total += count;
  }
  HOLDS(total <= 8 << 20, "bytes on disk");
  HOLDS(total >= 7 << 20, "bytes on disk");
}

static void sparse_file(int argc, char** argv) {
  (void)argc, (void)argv;
  signal(SIGXFSZ, SIG_IGN);
  const int fd = open("/work/sparse", O_WRONLY | O_CREAT, 0600);
  HOLDS(ftruncate(fd, 1L << 40) == -1, "a file of 1 TiB");
}

static void fill_inodes(int argc, char** argv) {
  (void)argc, (void)argv;
  char name[64];
  int made = 0;
  for (; made < 1000000; ++made) {
    snprintf(name, sizeof name, "/tmp/%d", made);
    const int fd = open(name, O_WRONLY | O_CREAT, 0600);
    if (fd < 0) break;
    close(fd);
  }
  HOLDS(made < 70000, "number of files");
}

static void fill_descriptors(int argc, char** argv) {
  (void)argc, (void)argv;
  int made = 0;
  while (made < 100000 && dup(0) >= 0) ++made;
  HOLDS(made <= 1024, "number of descriptors");
}

static void hoard_pipes(int argc, char** argv) {
  (void)argc, (void)argv;
  static char block[1 << 16];
  int pipes[2];
  for (int process = 0; process < 20; ++process) {
    if (fork() == 0) {
      while (pipe2(pipes, O_NONBLOCK) == 0) (void)!write(pipes[1], block, sizeof block);
      pause();
    }
  }
  pause();
}

static void hoard_sockets(int argc, char** argv) {
  (void)argc, (void)argv;
  static char block[1 << 16];
  int pair[2];
  for (int process = 0; process < 20; ++process) {
    if (fork() == 0) {
      while (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0) {
        while (write(pair[1], block, sizeof block) > 0) {
        }
      }
      pause();
    }
  }
  pause();
}

static void hoard_zombies(int argc, char** argv) {
  (void)argc, (void)argv;
  int made = 0;
  for (; made < 10000; ++made) {
    const pid_t pid = fork();
    if (pid == 0) _exit(0);
    if (pid < 0) break;
  }
  HOLDS(made < 64, "number of zombies");
}

static void deep_directories(int argc, char** argv) {
  (void)argc, (void)argv;
  for (int depth = 0; depth < 20000; ++depth) {
    if (mkdir("d", 0755) != 0 || chdir("d") != 0) break;
  }
}

static void daemonize(int argc, char** argv) {
  (void)argc, (void)argv;
  if (fork() == 0) {
    setsid();
    if (fork() == 0) {
      for (int fd = 0; fd < 3; ++fd) close(fd);
      for (int number = 1; number < 32; ++number) signal(number, SIG_IGN);
      for (;;) pause();
    }
    _exit(0);
  }
  wait(NULL);
}

static void ignore_signals(int argc, char** argv) {
  (void)argc, (void)argv;
  for (int number = 1; number < 32; ++number) signal(number, SIG_IGN);
  for (;;) pause();
}

static void spin(int argc, char** argv) {
  (void)argc, (void)argv;
  for (volatile unsigned long turn = 0;; ++turn) {
  }
}

static void flood_both(int argc, char** argv) {
  (void)argc, (void)argv;
  static char block[1 << 16];
  for (;;) {
    (void)!write(1, block, sizeof block);
    (void)!write(2, block, sizeof block);
  }
}

// argv: bytes and size of each write.
static void write_bytes(int argc, char** argv) {
  static char block[1 << 16];
  memset(block, 0xff, sizeof block);  // no UTF-8, no line ends
  long left = argc > 2 ? atol(argv[2]) : 0;
  const long each = argc > 3 ? atol(argv[3]) : 1;
  while (left > 0) {
    const ssize_t count = write(2, block, (size_t)(left < each ? left : each));
    if (count <= 0) break;
    left -= count;
  }
}

static void close_outputs(int argc, char** argv) {
  (void)argc, (void)argv;
  puts("before");
  fflush(stdout);
  close(0), close(1), close(2);
  usleep(300000);
  _exit(7);
}

const struct hostile_case resource_cases[] = {
    {"fork-bomb", fork_bomb},
    {"thread-bomb", thread_bomb},
    {"memory-bomb", memory_bomb},
    {"lock-memory", lock_memory},
    {"fill-disk", fill_disk},
    {"sparse-file", sparse_file},
    {"fill-inodes", fill_inodes},
    {"fill-descriptors", fill_descriptors},
    {"hoard-pipes", hoard_pipes},
    {"hoard-sockets", hoard_sockets},
    {"hoard-zombies", hoard_zombies},
    {"deep-directories", deep_directories},
    {"daemonize", daemonize},
    {"ignore-signals", ignore_signals},
    {"spin", spin},
    {"flood-both", flood_both},
    {"write-bytes", write_bytes},
    {"close-outputs", close_outputs},
    {NULL, NULL},
};
