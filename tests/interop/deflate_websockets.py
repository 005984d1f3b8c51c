"""permessage-deflate: the echo server judged by the client of Python's
`websockets`, the command line client by its server."""

import asyncio
import json
import random

from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory

from helper import MEBIBYTE, check, client, closed, echo_server, echoes, found, main, opened, same, serving, within

WORDS = 'octet frame window message server client deflate context Größe κόσμε 世界 \U0001f600 { } " \\ / ,'.split()
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
COMPRESSIBLE = "compressible " * 2000


class Agreement:
    """One of 14, between which there are: each window of 9 to 15 bits, of the
    server's and of the client's compressor, asked for by the peer and by us;
    and with both kinds of our memory, each of them with its context taken over
    and not."""

    def __init__(self, number):
        self.seed = number
        self.peer_asks = number < 7
        self.is_shared = number % 2 == 1
        self.server_bits = 9 + number % 7
        self.client_bits = 15 - number % 7
        self.server_anew = number // 2 % 2 == 1
        self.client_anew = number // 4 % 2 == 1
        self.has_large = number % 5 == 0
        self.count = 715  # 10,010 in all

    def __str__(self):
        server = f"server {self.server_bits} bits{' anew' * self.server_anew}"
        client = f"client {self.client_bits} bits{' anew' * self.client_anew}"
        asked = f"as {'the peer' if self.peer_asks else 'we'} asked"
        return f"{self.count} messages, {server}, {client}, {asked}; {'shared' if self.is_shared else 'dedicated'}"

    def flags(self, ours):
        """Those with which our program asks for it, or only takes part in it."""
        yield "--deflate"
        if self.is_shared:
            yield "--shared"
        if self.seed % 4 < 2:
            yield from ("--threshold", "0")
        if self.peer_asks:
            yield from ("--window-bits", "15")
            return
        own = (self.server_bits, self.server_anew)
        theirs = (self.client_bits, self.client_anew)
        if ours == "client":
            own, theirs = theirs, own
        yield from ("--window-bits", str(own[0]), "--peer-window-bits", str(theirs[0]))
        if own[1]:
            yield "--no-takeover"
        if theirs[1]:
            yield "--no-peer-takeover"

    def parameters(self, peer):
        """Those with which the peer asks for it, if it does. Our client does not
        say which window it has, so that a server says which it may have."""
        if not self.peer_asks:
            return {"client_max_window_bits": self.client_bits} if peer == "server" else {}
        return {
            "server_no_context_takeover": self.server_anew,
            "client_no_context_takeover": self.client_anew,
            "server_max_window_bits": self.server_bits,
            "client_max_window_bits": self.client_bits,
        }

    def holds(self, watched, peer):
        """Whether a peer's extension has it."""
        own = (self.server_bits, self.server_anew)
        theirs = (self.client_bits, self.client_anew)
        if peer == "client":
            own, theirs = theirs, own
        extension = watched.extension
        agreed = (extension.local_max_window_bits, extension.local_no_context_takeover)
        same(agreed, own, "window and takeover of the peer's compressor")
        agreed = (extension.remote_max_window_bits, extension.remote_no_context_takeover)
        same(agreed, theirs, "window and takeover of our compressor")


class Watched:
    """The permessage-deflate of a connection of `websockets`, which says what
    went through it, and can be told to let a message through as it is."""

    name = "permessage-deflate"

    def __init__(self, ws):
        [self.extension] = ws.protocol.extensions
        ws.protocol.extensions[:] = [self]
        self.is_plain = False
        self.sent = self.received = 0  # octets of compressed payload

    def encode(self, frame):
        if self.is_plain:
            return frame
        frame = self.extension.encode(frame)
        self.sent += len(frame.data) * (frame.opcode < 8)
        return frame

    def decode(self, frame, *, max_size=None):
        self.received += len(frame.data) * frame.rsv1
        return self.extension.decode(frame, max_size=max_size)


def noise(rng, length):
    return "".join(rng.choices(LETTERS, k=length))


def words(rng, length):
    text = ""
    while len(text) < length:
        text += rng.choice(WORDS) + " "
    return text


def entries(rng, count):
    return json.dumps(
        [{"id": i, "name": words(rng, 12), "value": rng.random(), "tags": [words(rng, 4)]} for i in range(count)]
    )


def random_message(rng, earlier):
    kind = rng.random()
    if kind < 0.06:
        return rng.choice(["", b""])
    if kind < 0.12:
        return rng.choice([noise(rng, 1), rng.randbytes(1)])
    if kind < 0.4:
        return entries(rng, rng.randrange(20))
    if kind < 0.55:
        return words(rng, rng.randrange(2000))
    if kind < 0.65:
        return words(rng, rng.randrange(2000)).encode()
    if kind < 0.8:
        return rng.randbytes(rng.randrange(2000))
    if kind < 0.85:
        return noise(rng, rng.randrange(500))
    if kind < 0.95 and earlier:
        return rng.choice(earlier)
    if kind < 0.98:
        return entries(rng, rng.randrange(100)).encode()
    return words(rng, rng.randrange(60_000))


def random_messages(agreement):
    """As many messages as it says; one of them may be of 1 MiB."""
    rng = random.Random(agreement.seed)
    messages = []
    while len(messages) < agreement.count:
        messages.append(random_message(rng, messages[-8:]))
    if agreement.has_large:
        messages[agreement.count // 2] = bytes(byte & rng.choice([1, 255]) for byte in MEBIBYTE)
    return messages


def lots(messages):
    """Cuts them where it is safe to send without reading any of the echoes."""
    lot, size = [], 0
    for message in messages:
        if lot and (len(lot) == 64 or size + len(message) > 128 << 10):
            yield lot
            lot, size = [], 0
        lot.append(message)
        size += len(message)
    yield lot


async def send(ws, watched, message, rng, pongs):
    """Sends a message, whole or in fragments, compressed or plain, with a ping
    before or in it."""
    watched.is_plain = rng.random() < 0.2
    if rng.random() < 0.05:
        pongs.append(await ws.ping())
    is_text = isinstance(message, str)
    rest = message.encode() if is_text else message
    cuts = sorted(rng.randrange(len(rest) + 1) for _ in range(rng.choice([0, 0, 0, 0, 1, 2, 3])))

    async def fragments():
        for begin, end in zip([0, *cuts], [*cuts, len(rest)]):
            yield rest[begin:end]
            if rng.random() < 0.1:
                pongs.append(await ws.ping())

    await ws.send(fragments() if cuts else message, text=is_text)


async def compresses(round_trip, watched, agreement, peer):
    """That compression is used, as agreed, and the context taken over or not."""
    rng = random.Random(f"probe {agreement.seed}")
    # what is compressed to less by itself, as else it may be sent plain, and is taken over by no message
    text = "again " * 8 + noise(rng, 152)
    anew = {"client": agreement.client_anew, "server": agreement.server_anew}
    ours = "server" if peer == "client" else "client"
    for message in [COMPRESSIBLE, text, text]:
        watched.sent = watched.received = 0
        await round_trip(message)
        if message is COMPRESSIBLE:
            same(0 < watched.sent < 2000, True, f"from {len(message)} octets, {watched.sent} were made by the peer")
            same(0 < watched.received < 2000, True, f"from {len(message)} octets, {watched.received} were made by us")
    same(watched.sent >= 80, anew[peer], f"{watched.sent} octets by the peer, the second time, are of a window anew")
    same(watched.received >= 80, anew[ours], f"{watched.received} octets by us, the second time, are of a window anew")


async def offering(undo, url, **parameters):
    """A connection of a client that offers compression."""
    parameters.setdefault("client_max_window_bits", True)
    factory = ClientPerMessageDeflateFactory(**parameters)
    return await opened(undo, url, compression=None, extensions=[factory])


def to_server(agreement):
    @check(f"to the echo server, {agreement}")
    async def _(undo):
        server = await echo_server(undo, *agreement.flags("server"))
        ws = await offering(undo, server.url, **agreement.parameters("client"))
        watched = Watched(ws)
        agreement.holds(watched, "client")
        await compresses(lambda text: echoes(ws, text, "text"), watched, agreement, "client")

        rng, pongs = random.Random(f"to {agreement.seed}"), []
        for lot in lots(random_messages(agreement)):
            for message in lot:
                await within(send(ws, watched, message, rng, pongs), "a message to be sent")
            for message in lot:
                same(await within(ws.recv(), "an echo"), message, "echo")
        await within(asyncio.gather(*pongs), f"{len(pongs)} pongs")
        await within(ws.close(), "the close to be answered")
        same(ws.close_code, 1000, "close code")
        server.interrupt()
        same(await server.exit(), 0, "exit status")
        same(server.stderr, "", "stderr")


def line(message):
    """The line that has the command line client send a message."""
    if isinstance(message, bytes):
        return f"/binary {message.hex()}"
    return f"/{message}" if message.startswith("/") else message


def shown(message):
    """The line with which it shows one."""
    return f"binary {message.hex()}" if isinstance(message, bytes) else message


def from_client(agreement):
    @check(f"from the client, {agreement}")
    async def _(undo):
        rng, pongs = random.Random(f"from {agreement.seed}"), []
        seen = asyncio.Queue()
        is_probed = False

        async def handler(ws):
            watched = Watched(ws)
            seen.put_nowait(watched)
            async for message in ws:
                if is_probed:
                    await send(ws, watched, message, rng, pongs)
                else:
                    await ws.send(message)

        factory = ServerPerMessageDeflateFactory(**agreement.parameters("server"))
        url, told = await serving(undo, handler, compression=None, extensions=[factory])
        program = await client(undo, url, *agreement.flags("client"))
        watched = await within(seen.get(), "the connection")
        agreement.holds(watched, "server")

        async def round_trip(text):
            program.write(f"{text}\n")
            same(await program.line("the echo"), text, "echo")

        await compresses(round_trip, watched, agreement, "server")
        found("^permessage-deflate", program.stderr, "stderr")

        is_probed = True
        messages = random_messages(agreement)
        status, lines = await program.finish("".join(f"{line(message)}\n" for message in messages))
        same(len(lines), len(messages), "number of echoes")
        for number, message in enumerate(messages):
            same(lines[number], shown(message), f"echo {number}")
        same(status, 0, "exit status")
        same((await told())[:2], ("closed", 1000), "close")
        await within(asyncio.gather(*pongs), f"{len(pongs)} pongs")


for number in range(14):
    to_server(Agreement(number))
for number in range(14):
    from_client(Agreement(number))


@check("a client that does not offer it gets plain messages")
async def _(undo):
    server = await echo_server(undo, "--deflate")
    ws = await opened(undo, server.url, compression=None)
    same(ws.response.headers.get("Sec-WebSocket-Extensions"), None, "what was agreed")
    await echoes(ws, COMPRESSIBLE, "text")


for what, flags, parameters in [
    ("with a server whose window is 8 bits", [], {"server_max_window_bits": 8}),
    ("with a window that cannot be limited", ["--peer-window-bits", "10"], {"client_max_window_bits": None}),
]:

    @check(f"a client {what} is declined, and gets plain messages")
    async def _(undo, flags=flags, parameters=parameters):
        server = await echo_server(undo, "--deflate", *flags)
        ws = await offering(undo, server.url, **parameters)
        same(ws.response.status_code, 101, "status")
        same(ws.response.headers.get("Sec-WebSocket-Extensions"), None, "what was agreed")
        await echoes(ws, COMPRESSIBLE, "text")


@check("the default of both: 12 bits for the server, 15 for the client")
async def _(undo):
    server = await echo_server(undo, "--deflate")
    ws = await opened(undo, server.url)
    [agreed] = ws.protocol.extensions
    same((agreed.remote_max_window_bits, agreed.local_max_window_bits), (12, 15), "windows")


@check("what is no DEFLATE data gets 1007")
async def _(undo):
    server = await echo_server(undo, "--deflate")
    ws = await offering(undo, server.url)
    watched = Watched(ws)
    watched.extension.encode = lambda frame: type(frame)(frame.opcode, b"\xff\xff\xff", frame.fin, rsv1=True)
    await ws.send("something")
    same(await closed(ws), 1007, "close code")


@check("--max-message counts what was inflated: 1000 octets pass, one more gets 1009")
async def _(undo):
    server = await echo_server(undo, "--deflate", "--max-message", "1000")
    ws = await offering(undo, server.url)
    await echoes(ws, b"\1" * 1000, "binary at the limit")
    await ws.send(b"\1" * 1001)
    same(await closed(ws), 1009, "close code")


@check("a server that declines gets plain messages")
async def _(undo):
    async def handler(ws):
        async for message in ws:
            await ws.send(message)
        return ws.request.headers["Sec-WebSocket-Extensions"], ws.protocol.extensions

    url, told = await serving(undo, handler, compression=None)
    program = await client(undo, url, "--deflate")
    same(await program.finish(f"{COMPRESSIBLE}\n"), (0, [COMPRESSIBLE]), "outcome")
    same(program.stderr, "closed 1000 \n", "stderr")
    same(await told(), ("permessage-deflate; client_max_window_bits", []), "offer and answer")


@check("--fallback: the first of two offers is accepted where it can be")
async def _(undo):
    async def handler(ws):
        async for message in ws:
            await ws.send(message)
        [agreed] = ws.protocol.extensions
        return agreed.local_max_window_bits, agreed.remote_max_window_bits

    url, told = await serving(undo, handler)
    program = await client(undo, url, "--deflate", "--peer-window-bits", "10", "--fallback")
    same(await program.finish(f"{COMPRESSIBLE}\n"), (0, [COMPRESSIBLE]), "outcome")
    same(await told(), (10, 12), "windows")


@check("a server that has no compressor of 8 bits declines, and gets plain messages")
async def _(undo):
    async def handler(ws):
        async for message in ws:
            await ws.send(message)
        return ws.protocol.extensions

    url, told = await serving(undo, handler)
    program = await client(undo, url, "--deflate", "--peer-window-bits", "8")
    same(await program.finish("hello\n"), (0, ["hello"]), "outcome")
    same(await told(), [], "extensions")


main("deflate, websockets")
