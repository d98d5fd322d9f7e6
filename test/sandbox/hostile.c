// SPDX-License-Identifier: Apache-2.0
#include "hostile.h"

#include <stdlib.h>

int main(int argc, char** argv) {
  const struct hostile_case* const classes[] = {syscall_cases, file_cases, identity_cases,
                                                network_cases, resource_cases};
  if (argc < 2) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (size_t i = 0; i < sizeof classes / sizeof *classes; ++i) {
    for (const struct hostile_case* at = classes[i]; at->name != NULL; ++at) {
      if (strcmp(at->name, argv[1]) != 0) continue;
      at->attempt(argc, argv);
      puts("done");
      return 0;
    }
  }
  return 2;
}
