"""A server whose behaviour comes from the environment, so that its command line can be any one that a test needs.

LAB is a JSON object: ports, udp (ports that are bound, and not served), address, reuseport, workers (forked, sharing the
socket), ignoreTerm, comm, deadMain (the main thread exits, another one serves), give (a Unix socket on which the first
listening socket is handed out), take (such a socket to receive one from), ready (a file that is written once all this
is so). Answers any request with `ok`.
"""

import array
import ctypes
import json
import os
import signal
import socket
import threading
import time

lab = json.loads(os.environ["LAB"])


def listen(port):
    family = socket.AF_INET6 if ":" in lab.get("address", "") else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if lab.get("reuseport"):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind((lab.get("address", "0.0.0.0"), port))
    s.listen(128)
    return s


def bind(port):
    s = socket.socket(socket.AF_INET6 if ":" in lab.get("address", "") else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((lab.get("address", "0.0.0.0"), port))
    return s


def serve(s):
    while True:
        connection, _ = s.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n")


def serve_all():
    for s in sockets:
        threading.Thread(target=serve, args=(s,), daemon=True).start()


def give(s):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as u:
        u.bind(lab["give"])
        u.listen(1)
        connection, _ = u.accept()
        connection.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [s.fileno()]))])


def take():
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as u:
        u.connect(lab["take"])
        _, data, _, _ = u.recvmsg(1, socket.CMSG_LEN(4))
        return socket.socket(fileno=array.array("i", data[0][2])[0])


def become_ready(workers):
    with open(lab["ready"] + ".part", "w") as f:
        json.dump({"pid": os.getpid(), "workers": workers}, f)
    os.rename(lab["ready"] + ".part", lab["ready"])


if lab.get("comm"):
    ctypes.CDLL(None).prctl(15, lab["comm"].encode(), 0, 0, 0)
if lab.get("ignoreTerm"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
sockets = [take()] if lab.get("take") else [listen(port) for port in lab.get("ports", [])]
datagrams = [bind(port) for port in lab.get("udp", [])]
workers = []
for _ in range(lab.get("workers", 0)):
    pid = os.fork()
    if pid == 0:
        serve_all()
        while True:
            time.sleep(60)
    workers.append(pid)
serve_all()
if lab.get("give"):
    threading.Thread(target=give, args=(sockets[0],), daemon=True).start()
become_ready(workers)
if lab.get("deadMain"):
    # exit(2), the system call of one thread: the process stays, in state Z.
    ctypes.CDLL(None).syscall(60 if os.uname().machine == "x86_64" else 93, 0)
while True:
    time.sleep(60)
