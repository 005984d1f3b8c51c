"""What the Python parts share: named checks, waiting that always ends, and the
two programs under test. `run` sets the environment variables read here."""

import asyncio
import os
import re
import signal
import sys
import time

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

WAIT_SECONDS = 20
CHECK_SECONDS = 60

CHECKS = []


def check(name):
    """Registers an async function as a check. It is called with an `Undo`."""

    def register(body):
        CHECKS.append((name, body))
        return body

    return register


class Undo:
    """What to undo when a check has ended, well or not; and the programs that
    the check has started."""

    def __init__(self):
        self.actions = []
        self.programs = []

    def __call__(self, action):
        self.actions.append(action)

    def run(self):
        for action in reversed(self.actions):
            action()


async def within(awaitable, what, seconds=WAIT_SECONDS):
    """The result of `awaitable`, or an error naming `what` was waited for."""
    try:
        async with asyncio.timeout(seconds):
            return await awaitable
    except TimeoutError:
        raise AssertionError(f"waited {seconds} s for {what}") from None


def same(got, want, what):
    """Fails unless `got` equals `want`; long values are shortened in the message."""
    if got != want:
        raise AssertionError(f"{what}: got {repr(got)[:200]}, expected {repr(want)[:200]}")


def found(pattern, text, what):
    """Fails unless `pattern` is found in `text`."""
    if not re.search(pattern, text, re.MULTILINE):
        raise AssertionError(f"{what}: no {pattern} in {text[:400]!r}")


def main(part):
    """Runs the registered checks. `run` takes any other exit status than 0 and
    3 for a crash."""
    sys.exit(asyncio.run(_main(part)))


async def _main(part):
    failures = 0
    for name, body in CHECKS:
        started = time.monotonic()
        undo = Undo()
        try:
            await within(body(undo), "the check to end", CHECK_SECONDS)
        except Exception as error:
            failures += 1
            reason = f"{type(error).__name__}: {error}"
            for program in undo.programs:
                if program.stderr:
                    reason += f" [stderr: {program.stderr[-400:].strip()}]"
            reason = reason.replace("\n", " | ")
            print(f"FAIL  {part}: {name}: {reason}", flush=True)
        else:
            milliseconds = round((time.monotonic() - started) * 1000)
            print(f"ok    {part}: {name} ({milliseconds} ms)", flush=True)
        finally:
            undo.run()
    return 3 if failures else 0


class Program:
    """A child process: its stdout line by line, its stderr, its exit status."""

    @classmethod
    async def start(cls, undo, path, *args):
        self = cls()
        self.stderr = ""
        self.process = await asyncio.create_subprocess_exec(
            path,
            *args,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        undo(self.kill)
        undo.programs.append(self)
        self.errors = asyncio.create_task(self._read_errors())
        return self

    async def _read_errors(self):
        while data := await self.process.stderr.read(65536):
            self.stderr += data.decode()

    def kill(self):
        if self.process.returncode is None:
            self.process.kill()

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    async def line(self, what):
        """The next line that it prints."""
        line = await within(self.process.stdout.readline(), f"the program to print {what}")
        if not line:
            status = await self.exit()
            raise AssertionError(f"exit {status} instead of printing {what}")
        return line.decode().removesuffix("\n")

    async def exit(self):
        """Its exit status; negative for a signal."""
        status = await within(self.process.wait(), "the program to exit")
        await within(self.errors, "the end of stderr")
        return status

    def write(self, text):
        self.process.stdin.write(text.encode())

    async def finish(self, text=""):
        """Ends its input with `text`; its exit status and what else it printed."""
        self.write(text)
        self.process.stdin.close()
        rest = await within(self.process.stdout.read(), "the end of stdout")
        return await self.exit(), rest.decode().split("\n")[:-1]


async def echo_server(undo, *args):
    """An echo server on a free port, started and listening; `url` is its address."""
    server = await Program.start(undo, os.environ["ECHO_SERVER"], "--listen", "127.0.0.1:0", *args)
    line = await server.line("its address")
    address = re.match(r"listening on (ws://127\.0\.0\.1:\d+)\b", line)
    if not address:
        raise AssertionError(f"no address in its first line: {line!r}")
    server.url = address[1]
    return server


async def client(undo, url, *args):
    """The command line client, started with `url` and `args`."""
    return await Program.start(undo, os.environ["CLIENT"], url, *args)


async def opened(undo, url, **options):
    """An open connection. `proxy` is off: the server is on this machine."""
    ws = await connect(url, proxy=None, close_timeout=None, max_size=None, **options)
    undo(ws.transport.abort)
    return ws


async def echoes(ws, data, what):
    await within(ws.send(data), f"{what} to be sent")
    same(await within(ws.recv(), f"the echo of {what}"), data, what)


async def closed(ws, what="close"):
    """The code that the server closed with. Nothing else may arrive first."""
    try:
        message = await within(ws.recv(), f"the {what}")
    except ConnectionClosed as end:
        await within(ws.wait_closed(), "the end of the TCP connection")
        return end.rcvd.code if end.rcvd else None
    raise AssertionError(f"{what}: got the message {message!r:.100}")


async def serving(undo, handler, **options):
    """A server on a free port; its URL, and a queue of what `handler` returns
    and of how each connection was closed by the client."""
    told = asyncio.Queue()

    async def handle(ws):
        try:
            result = await handler(ws)
            if result is not None:
                told.put_nowait(result)
            await ws.wait_closed()
        except ConnectionClosed:
            pass
        told.put_nowait(("closed", ws.close_code, ws.close_reason))

    server = await serve(handle, "127.0.0.1", 0, max_size=None, **options)
    undo(server.close)
    host, port = server.sockets[0].getsockname()
    return f"ws://{host}:{port}/", lambda: within(told.get(), "the server to tell")


# 1 MiB of text with characters of one to four bytes, on one line.
MEBIBYTE_TEXT = "aé€\U0001f600xxxxxx" * 65536

# 1 MiB in which every byte value occurs.
MEBIBYTE = bytes(i * 31 & 255 for i in range(1 << 20))
