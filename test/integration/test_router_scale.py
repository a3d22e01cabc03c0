"""Thousands listed, hundreds alive, a thousand clients: memory and descriptors stay bounded."""

import asyncio
import json
import os
import struct
import unittest

import fcgi_client
import paths
from harness import FULL, wait_until
from router_rig import RouterCase, answer, end, sha_of, stdout

LISTED = 5_000 if FULL else 2_000
CLIENTS = 1_000 if FULL else 200
ALIVE = 300 if FULL else 60
CONNECTIONS = 1_024 if FULL else 256  # to backends
SLOW_BYTES = 400_000
MEMORY_MB = 64


def is_sanitized(program):
    with open(paths.program(program), "rb") as file:
        return b"__asan_init" in file.read() or b"__tsan_init" in file.read()


def status_of(pid, name):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name + ":"))


async def read_request(reader):
    """(id, uri) of one request, None at the connection's end."""
    params = b""
    while True:
        try:
            head = await reader.readexactly(8)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        _, kind, number, length, padding = struct.unpack(">BBHHBx", head)
        content = (await reader.readexactly(length + padding))[:length]
        if kind == fcgi_client.PARAMS:
            params += content
        elif kind == fcgi_client.STDIN and not content:
            at = params.index(b"REQUEST_URI") + len(b"REQUEST_URI")
            return number, params[at:].split(b"\0")[0], params


async def read_answer(reader):
    out = b""
    while True:
        head = await reader.readexactly(8)
        _, kind, _, length, padding = struct.unpack(">BBHHBx", head)
        content = (await reader.readexactly(length + padding))[:length]
        if kind == fcgi_client.STDOUT:
            out += content
        elif kind == fcgi_client.END_REQUEST:
            return fcgi_client.parse_head(out)


def request(path):
    variables = fcgi_client.cgi_variables("GET", path)
    return (fcgi_client._record(1, struct.pack(">HB5x", 1, 1))
            + fcgi_client._stream(4, fcgi_client.encode_params(variables))
            + fcgi_client._record(5))


class Scale(RouterCase):
    def setUp(self):
        super().setUp()
        self.repos = [f"org{i % 50}/repo{i}" for i in range(LISTED)]
        self.write_list(*self.repos)

    async def serve(self, repo):
        async def one(reader, writer):
            while (got := await read_request(reader)) is not None:
                size = SLOW_BYTES if b"slow" in got[2] else 100
                body = json.dumps({"repo": repo, "x": "y" * size}).encode()
                writer.write(stdout(answer(body), got[0]) + end(got[0]))
                try:
                    await writer.drain()
                except ConnectionError:
                    break
            writer.close()
        return await asyncio.start_unix_server(
            one, self.stage.path(f"{sha_of(repo)}.sock"), backlog=1024)

    async def client(self, number, rounds, slow):
        reader, writer = await asyncio.open_unix_connection(
            self.address[len("unix:"):], limit=1 << 16)
        try:
            for turn in range(rounds):
                repo = self.repos[(number * 7 + turn * 13) % ALIVE]
                writer.write(request(f"/api/v1/{repo}/issues"))
                got = await read_answer(reader)
                self.assertEqual((200, repo), (got.status, got.json()["repo"]))
                self.most_fds = max(self.most_fds,
                                    len(os.listdir(f"/proc/{self.program.pid}/fd"))
                                    if number == 0 else 0)
            if slow:  # ask for much, and read nothing until all have asked
                repo = self.repos[number % ALIVE]
                writer.write(request(f"/api/v1/{repo}/issues/slow"))
                self.asked += 1
                await self.all_asked.wait()
                got = await read_answer(reader)
                self.assertEqual((200, repo), (got.status, got.json()["repo"]))
        finally:
            writer.close()

    async def hold(self):
        """Once all slow clients wait, the router's memory is what it is at most."""
        while self.asked < CLIENTS:
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        self.held_kb = status_of(self.program.pid, "VmRSS")
        self.most_fds = max(self.most_fds, len(os.listdir(f"/proc/{self.program.pid}/fd")))
        self.all_asked.set()

    async def run_all(self):
        self.all_asked = asyncio.Event()
        alive = [await self.serve(repo) for repo in self.repos[:ALIVE]]
        await asyncio.gather(*(self.client(i, 5, False) for i in range(CLIENTS)))
        await asyncio.gather(self.hold(), *(self.client(i, 1, True) for i in range(CLIENTS)))
        for server in alive:
            server.close()

    def test_memory_and_descriptors_are_bounded(self):
        self.most_fds = self.asked = self.held_kb = 0
        self.start("--all-connections", CONNECTIONS, "--backend-waiting", 1000, "--first-byte-ms",
                   "60000", "--connect-ms", "60000", "--log-level", "warning", wait=False)
        wait_until(lambda: self.ask("/_healthz").status == 200, self.program.tail)
        before = status_of(self.program.pid, "VmRSS")
        asyncio.run(self.run_all())
        peak = status_of(self.program.pid, "VmHWM")
        print(f"router: {LISTED} listed {before} kB, {CLIENTS} slow clients of {ALIVE} backends "
              f"{self.held_kb} kB, peak {peak} kB, {self.most_fds} descriptors", flush=True)
        # Its own, one for each client, and what the cap allows to backends.
        self.assertLessEqual(self.most_fds, 40 + CLIENTS + CONNECTIONS)
        self.assertLessEqual(self.metric("maintner_router_backend_connections"), CONNECTIONS)
        self.assertEqual(0, self.metric("maintner_router_stalled"))
        if is_sanitized("maintner-rtr"):
            print("a sanitizer's memory is not the router's: not judged", flush=True)
        else:
            self.assertLess(peak * 1024, MEMORY_MB * 1_000_000)
        self.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
