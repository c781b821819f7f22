/* Asks an HTTP server on 127.0.0.1 for a path over connections that are kept open, one request under way on each, and
 * prints how many answers came as JSON. Ends with 1 at the first answer that is not 200. In C, so that the measured
 * server and not this program is what takes the time.
 *
 *   requests PORT PATH CONNECTIONS SECONDS */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST 64
#define ROOM (1 << 18)

static char request[512];
static char buffers[MOST][ROOM];
static size_t filled[MOST];

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void fail(const char *what) {
  fprintf(stderr, "requests: %s\n", what);
  exit(1);
}

static void ask(int fd) {
  ssize_t length = strlen(request);
  if (write(fd, request, length) != length) fail("write");
}

/* The length of the answer in a buffer, 0 while it is not all there. */
static size_t answered(char *text, size_t length) {
  text[length] = 0;
  char *body = strstr(text, "\r\n\r\n");
  if (body == NULL) return 0;
  if (strncmp(text, "HTTP/1.1 200 ", 13) != 0) fail(text);
  char *field = strcasestr(text, "\r\ncontent-length:");
  if (field == NULL || field > body) fail("no content-length");
  size_t all = body + 4 - text + strtoul(field + 17, NULL, 10);
  return length >= all ? all : 0;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  int port = atoi(argv[1]), count = atoi(argv[3]);
  double seconds = atof(argv[4]);
  if (count < 1 || count > MOST) return 2;
  snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", argv[2], port);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  struct pollfd polled[MOST];
  for (int each = 0; each < count; each++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    polled[each] = (struct pollfd){.fd = fd, .events = POLLIN};
  }
  double begin = now();
  long answers = 0;
  for (int each = 0; each < count; each++) ask(polled[each].fd);
  while (now() - begin < seconds) {
    if (poll(polled, count, 5000) <= 0) fail("no answer in 5 s");
    for (int each = 0; each < count; each++) {
      if (polled[each].revents == 0) continue;
      ssize_t got = read(polled[each].fd, buffers[each] + filled[each], ROOM - 1 - filled[each]);
      if (got <= 0) fail("the connection was closed");
      filled[each] += got;
      size_t length = answered(buffers[each], filled[each]);
      if (length == 0) continue;
      if (length != filled[each]) fail("more than was asked for");
      filled[each] = 0;
      answers++;
      ask(polled[each].fd);
    }
  }
  printf("{\"answers\":%ld,\"seconds\":%.6f}\n", answers, now() - begin);
  return 0;
}
