"""Runs a command, and writes down what it makes a Redis server do.

Usage: monitor.py HOST:PORT FILE COMMAND...

FILE gets a command a line, each word quoted as `redis-cli` quotes it. What says nothing of documents
and indexes (greetings, look-ups) is left out.
"""

import socket
import subprocess
import sys
import time

KEPT = ("FT.CREATE", "HSET", "HMSET", "JSON.SET", "SADD", "SET")


def main():
    host, port = sys.argv[1].split(":")
    monitor = socket.create_connection((host, int(port)))
    monitor.sendall(b"MONITOR\r\n")
    assert monitor.recv(5) == b"+OK\r\n"
    subprocess.run(sys.argv[3:], check=True)
    last = b'"ECHO" "the end"'
    with socket.create_connection((host, int(port))) as other:
        other.sendall(b'*2\r\n$4\r\nECHO\r\n$7\r\nthe end\r\n')
        seen = b""
        deadline = time.monotonic() + 10
        while last not in seen:
            assert time.monotonic() < deadline
            seen += monitor.recv(65536)
    with open(sys.argv[2], "w", encoding="ascii") as file:
        for line in seen.decode("ascii").splitlines():
            # +1700000000.1 [0 127.0.0.1:1] "SET" "a" "1"
            command = line.partition("] ")[2]
            if command.strip('"').partition('"')[0].upper() in KEPT:
                file.write(command + "\n")


main()
