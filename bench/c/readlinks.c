/* What a walk over all descriptors costs at least, without anything of orphand: every link of /proc/PID/fd is read with
 * readlinkat(2) on the open directory and compared, by one thread. Prints how many it read and how many matched.
 *
 *   readlinks PROC_ROOT INODE */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  char wanted[64], text[256], path[512];
  long read_links = 0, matches = 0;
  size_t length = (size_t)snprintf(wanted, sizeof wanted, "socket:[%s]", argv[2]);
  DIR *proc = opendir(argv[1]);
  if (proc == NULL) return 1;
  for (struct dirent *process; (process = readdir(proc)) != NULL;) {
    if (!isdigit((unsigned char)process->d_name[0])) continue;
    snprintf(path, sizeof path, "%s/%s/fd", argv[1], process->d_name);
    DIR *directory = opendir(path);
    if (directory == NULL) continue;
    for (struct dirent *fd; (fd = readdir(directory)) != NULL;) {
      ssize_t size = readlinkat(dirfd(directory), fd->d_name, text, sizeof text);
      if (size < 0) continue;
      read_links++;
      if ((size_t)size == length && memcmp(text, wanted, length) == 0) matches++;
    }
    closedir(directory);
  }
  closedir(proc);
  printf("%ld %ld\n", read_links, matches);
  return 0;
}
