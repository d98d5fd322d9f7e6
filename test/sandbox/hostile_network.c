// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hostile.h"

static int connect_to(const char* address, int port, int type) {
  struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  inet_pton(AF_INET, address, &peer.sin_addr);
  const int fd = socket(AF_INET, type, 0);
  const int result = connect(fd, (const struct sockaddr*)&peer, sizeof peer);
  const int error = errno;
  close(fd);
  errno = error;
  return result;
}

// argv: port and abstract name on which the test listens outside.
static void reach_outside(int argc, char** argv) {
  if (argc < 4) return;
  REFUSED(connect_to("127.0.0.1", atoi(argv[2]), SOCK_STREAM), ECONNREFUSED, "host's loopback");
  REFUSED(connect_to("169.254.169.254", 80, SOCK_STREAM), ENETUNREACH, "metadata address");
  REFUSED(connect_to("8.8.8.8", 53, SOCK_DGRAM), ENETUNREACH, "DNS");
  REFUSED(connect_to("10.0.0.1", 443, SOCK_STREAM), ENETUNREACH, "private range");
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  strncpy(name.sun_path + 1, argv[3], sizeof name.sun_path - 2);
  const socklen_t length =
      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(argv[3]));
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  REFUSED(connect(fd, (const struct sockaddr*)&name, length), ECONNREFUSED, "abstract socket");
  // The name is free in here.
  HOLDS(bind(fd, (const struct sockaddr*)&name, length) == 0, "own abstract name");
}

static void interfaces(int argc, char** argv) {
  (void)argc, (void)argv;
  struct ifreq list[16];
  struct ifconf config = {.ifc_len = sizeof list, .ifc_req = list};
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  HOLDS(ioctl(fd, SIOCGIFCONF, &config) == 0, "interfaces");
  for (int i = 0; i < config.ifc_len / (int)sizeof *list; ++i) {
    HOLDS(strcmp(list[i].ifr_name, "lo") == 0, list[i].ifr_name);
  }
  struct ifreq down = {.ifr_name = "lo", .ifr_flags = 0};
  HOLDS(ioctl(fd, SIOCSIFFLAGS, &down) == -1, "changing an interface");
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(80)};
  HOLDS(bind(socket(AF_INET, SOCK_STREAM, 0), (const struct sockaddr*)&any, sizeof any) == -1,
        "privileged port");
  any.sin_port = htons(8080);
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  HOLDS(bind(listener, (const struct sockaddr*)&any, sizeof any) == 0 && listen(listener, 1) == 0,
        "own listener");
  HOLDS(connect_to("127.0.0.1", 8080, SOCK_STREAM) == 0, "own loopback");
}

const struct hostile_case network_cases[] = {
    {"reach-outside", reach_outside}, {"interfaces", interfaces}, {NULL, NULL}};
