/* The bench's load: PROCESSES processes with CONNECTIONS sockets of TCP connections on 127.0.0.1 and, with those,
 * DESCRIPTORS open descriptors in all. Prints "ready" once all of it is there; ends when its input does.
 *
 *   load CONNECTIONS DESCRIPTORS PROCESSES [WATCHED_PORT]
 *
 * Few processes hold many sockets, as proxies and databases do; the many others hold files and pipes. With a
 * WATCHED_PORT the last process listens there. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Both ends are on this host: a connection of one pair is two sockets and two rows of /proc/net/tcp. Below the
 * 20,000 descriptors that a process may have here. */
enum { MOST_CONNECTIONS_OF_A_PAIR = 3000, BACKLOG = 4096, MOST_PROCESSES = 10000 };

static void fail(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int listen_on(in_addr_t address, int port, struct sockaddr_in *bound) {
  int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  socklen_t size = sizeof *bound;
  *bound = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0) fail("socket");
  if (bind(fd, (struct sockaddr *)bound, size) < 0) fail("bind");
  if (listen(fd, BACKLOG) < 0 || getsockname(fd, (struct sockaddr *)bound, &size) < 0) fail("listen");
  return fd;
}

/* Closed with RST: no TIME_WAIT row is left for the measurement after this one. */
static void reset_when_closed(int fd) {
  struct linger now = {.l_onoff = 1, .l_linger = 0};
  if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) < 0) fail("SO_LINGER");
}

static void hold_files(int count) {
  for (; count >= 2; count -= 2) {
    int ends[2];
    if (count % 8 == 0) {
      if (pipe(ends) < 0) fail("pipe");
    } else if (open("/dev/null", O_RDONLY) < 0 || open("/etc/passwd", O_RDONLY) < 0) {
      fail("open");
    }
  }
  if (count == 1 && open("/dev/null", O_RDONLY) < 0) fail("open");
}

static void wait_for_end(int ready) {
  if (write(ready, "r", 1) != 1) fail("write");
  for (;;) pause();
}

static pid_t children[MOST_PROCESSES];
static int started;

/* Forks one process of the load; 0 in the child, which is gone with its parent. */
static pid_t start(void) {
  if (started == MOST_PROCESSES) {
    errno = E2BIG;
    fail("start");
  }
  pid_t parent = getpid(), pid = fork();
  if (pid < 0) fail("fork");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
  } else {
    children[started++] = pid;
  }
  return pid;
}

static void start_pair(int ready, int connections) {
  struct sockaddr_in address;
  int listener = listen_on(INADDR_LOOPBACK, 0, &address);
  if (start() == 0) {
    for (int i = 0; i < connections; i++) {
      int fd = accept(listener, NULL, NULL);
      if (fd < 0) fail("accept");
      reset_when_closed(fd);
    }
    wait_for_end(ready);
  }
  if (start() == 0) {
    close(listener);
    for (int i = 0; i < connections; i++) {
      int fd = socket(AF_INET, SOCK_STREAM, 0);
      if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
      reset_when_closed(fd);
    }
    wait_for_end(ready);
  }
  close(listener);
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: load CONNECTIONS DESCRIPTORS PROCESSES [WATCHED_PORT]\n");
    return 2;
  }
  int sockets = atoi(argv[1]), descriptors = atoi(argv[2]), processes = atoi(argv[3]);
  int watched = argc > 4 ? atoi(argv[4]) : 0, ready[2];
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (pipe(ready) < 0) fail("pipe");

  for (int left = sockets / 2; left > 0; left -= MOST_CONNECTIONS_OF_A_PAIR)
    start_pair(ready[1], left < MOST_CONNECTIONS_OF_A_PAIR ? left : MOST_CONNECTIONS_OF_A_PAIR);

  /* Each process has standard input, output, error and the pipe's two ends as well. */
  int others = processes - started;
  int files_in_all = descriptors - sockets - 5 * processes;
  for (int i = 0; i < others; i++) {
    if (start() != 0) continue;
    struct sockaddr_in address;
    int count = files_in_all / others + (i < files_in_all % others);
    if (watched != 0 && i == others - 1) listen_on(INADDR_ANY, watched, &address);
    hold_files(count);
    wait_for_end(ready[1]);
  }

  /* A process that failed has said why; without it there would be no end of waiting. */
  close(ready[1]);
  for (int i = 0; i < started; i++) {
    char byte;
    if (read(ready[0], &byte, 1) != 1) return 1;
    int status;
    if (waitpid(-1, &status, WNOHANG) > 0) return 1;
  }
  printf("ready\n");
  fflush(stdout);
  char byte;
  while (read(0, &byte, 1) > 0) {}

  /* Reaped here: whoever measures is pid 1 of the namespace, and would keep 200 zombies for the next measurement. */
  for (int i = 0; i < started; i++) kill(children[i], SIGKILL);
  while (wait(NULL) > 0) {}
  return 0;
}
