"""A program under test: started with a log file, awaited, ended or killed."""

import os
import pathlib
import random
import signal
import socket
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]


# Below the ports that the system gives to outgoing connections: one of those could take the port
# before the program does that was told to listen there.
PORTS = iter(random.sample(range(20000, 32000), 12000))


def free_port():
    """A port of the loopback on which nobody listens, never told twice."""
    for port in PORTS:
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("every port is taken")


def wait_until(condition, what, seconds=60):
    """Calls `condition` until it is true; fails with `what` after some seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.02)


class Proxy:
    """Passes connections on to an address, until they are dropped."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.target = (host, int(port))
        self.listener = socket.create_server(("127.0.0.1", free_port()))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.ends = []
        threading.Thread(target=self._accept, daemon=True).start()

    def drop(self):
        """Ends every connection; new ones are taken."""
        with self.lock:
            ends, self.ends = self.ends, []
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has ended by itself

    def close(self):
        self.listener.close()
        self.drop()

    def _accept(self):
        while True:
            try:
                source, _ = self.listener.accept()
                target = socket.create_connection(self.target)
            except OSError:
                return
            with self.lock:
                self.ends += [source, target]
            for pair in ((source, target), (target, source)):
                threading.Thread(target=self._copy, args=pair, daemon=True).start()

    @staticmethod
    def _copy(source, target):
        try:
            while data := source.recv(1 << 16):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # either end has gone


def children_of(pid):
    """The running child processes of a process."""
    children = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                children.append(int(entry))
        except (OSError, ValueError, IndexError):
            continue
    return children


class Program:
    """Runs `command`, whose output goes to `log`; `is_ready` says when it serves;
    `variables` are added to its environment."""

    def __init__(self, command, log, is_ready, **variables):
        self.log = pathlib.Path(log)
        # LARDER_* would be settings; those of the tests' own are none.
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith("LARDER_")} | variables
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, env=environment)
        try:
            wait_until(lambda: is_ready() or self.process.poll() is not None, f"{command[0]}",
                       seconds=180)
        except AssertionError:
            self.kill()
            raise
        assert self.process.poll() is None, (
            f"{command[0]} ended with {self.process.returncode}:\n{self.log_tail()}")

    def log_tail(self):
        return self.log.read_text(errors="replace")[-4000:]

    def kill(self):
        """kill -9: what is not on disk by now is lost."""
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=120):
        """SIGTERM; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
