// SPDX-License-Identifier: Apache-2.0
// A program that tries to get out. Each case attempts one thing and says BROKEN, with what it got,
// where the jail did not hold; a case that prints nothing of the kind was held.
#pragma once

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct hostile_case {
  const char* name;
  void (*attempt)(int argc, char** argv);
};

extern const struct hostile_case syscall_cases[];
extern const struct hostile_case file_cases[];
extern const struct hostile_case identity_cases[];
extern const struct hostile_case network_cases[];
extern const struct hostile_case resource_cases[];

#define BROKEN(...)                     \
  do {                                  \
    printf("BROKEN: ");                 \
    printf(__VA_ARGS__);                \
    printf(" (%s)\n", strerror(errno)); \
  } while (0)

// `result` must be a failure with this errno.
#define REFUSED(result, wanted, what)                            \
  do {                                                           \
    errno = 0;                                                   \
    if ((result) != -1 || errno != (wanted)) BROKEN("%s", what); \
  } while (0)

#define HOLDS(condition, what)            \
  do {                                    \
    errno = 0;                            \
    if (!(condition)) BROKEN("%s", what); \
  } while (0)
