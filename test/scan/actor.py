"""A process that a test moves: one command a line, one answer a line.

listen PORT   fork   close   give NAME   become WORDS…   spawn WORDS…

`give` hands the first socket over through an abstract unix socket (SCM_RIGHTS), `become` is exec(3) with another command line, `spawn` a child like this one with a pipe of its own that nobody uses.
"""
import os
import socket
import sys
import time

sockets = [socket.socket(fileno=int(fd)) for fd in os.environ.get("SOCKETS", "").split()]


def answer(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def start(words):
    """Runs this script under other words: what is held stays held."""
    os.environ["SOCKETS"] = " ".join(str(each.fileno()) for each in sockets)
    os.execv("/usr/bin/python3", [words[0], __file__, *words[1:]])


def idle():
    # Not a reader of the commands: those are its parent's.
    os.close(0)
    os.close(1)
    while True:
        time.sleep(1000)


if "--idle" in sys.argv:
    idle()
answer("ready")
for line in sys.stdin:
    command, *words = line.split()
    if command == "listen":
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", int(words[0])))
        server.listen()
        server.set_inheritable(True)
        sockets.append(server)
        answer("ok")
    elif command == "fork":
        child = os.fork()
        if child == 0:
            idle()
        answer(child)
    elif command == "spawn":
        # Closed by its execve(2): before that it is a fork with another command line.
        executed, end = os.pipe()
        child = os.fork()
        if child == 0:
            start([*words, "--idle"])
        os.close(end)
        os.read(executed, 1)
        os.close(executed)
        answer(child)
    elif command == "close":
        if sockets:
            sockets.pop(0).close()
        answer("ok")
    elif command == "give":
        with socket.socket(socket.AF_UNIX) as channel:
            channel.connect("\0" + words[0])
            socket.send_fds(channel, [b"x"], [sockets[0].fileno()])
        answer("ok")
    elif command == "become":
        start(words)
