"""Starts a command the way systemd does with sockets: `activate.py UNIX-PATH CMD…`.

Opens a TCP socket (any port) and a unix one, passes them as descriptors 3 (`http`) and 4 (`control`), and becomes CMD.
Writes the TCP port to UNIX-PATH.port.
"""

import os
import socket
import sys

path, command = sys.argv[1], sys.argv[2:]
tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
tcp.bind(("127.0.0.1", 0))
unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
unix.bind(path)
for number, s in ((3, tcp), (4, unix)):
    s.listen(16)
ports = tcp.getsockname()[1]
# Both above 4, so that neither takes the other's place.
high = [os.dup(s.fileno()) for s in (tcp, unix) for _ in range(4)]
os.dup2(high[0], 3, inheritable=True)
os.dup2(high[4], 4, inheritable=True)
with open(path + ".port", "w") as f:
    f.write(str(ports))
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="http:control")
os.execv(command[0], command)
