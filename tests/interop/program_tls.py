"""The program in examples/tls judged by Python's `websockets`, and its TLS by
Python's `ssl`. Run by program_tls.mjs, with a folder to write to."""

import asyncio
import os
import re
import signal
import socket
import ssl
import subprocess
import sys

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

from helper import MEBIBYTE_TEXT, Program, check, closed, echoes, found, main, same, within

PROGRAM = f"{os.environ['PROGRAMS']}/tls"
FOLDER = sys.argv[1]
REQUEST = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def started(undo, *args):
    """Our server on a free port, and a context of `ssl` that trusts it."""
    file = f"{FOLDER}/python.pem"
    server = await Program.start(undo, PROGRAM, "serve", "--listen", "127.0.0.1:0", "--write-cert", file, *args)
    line = await server.line("its address")
    server.port = int(re.fullmatch(r"listening on wss://127\.0\.0\.1:(\d+)", line)[1])
    server.trust = ssl.create_default_context(cafile=file)
    return server


async def says(server, pattern):
    """The next of the server's lines that has the pattern."""
    while not re.search(pattern, line := await server.line(f"a line with {pattern}")):
        pass
    return line


async def opened(undo, server, host="localhost"):
    url = f"wss://{host}:{server.port}/"
    ws = await connect(url, ssl=server.trust, proxy=None, close_timeout=None, max_size=None)
    undo(ws.transport.abort)
    return ws


def authority():
    """A certificate of an authority, and one for localhost that it has signed."""
    ca, key, cert = (f"{FOLDER}/{name}.pem" for name in ("ca", "key", "cert"))
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    for args in (
        ["-subj", "/CN=an authority", "-keyout", f"{ca}.key", "-out", ca],
        ["-subj", "/CN=a server", "-keyout", key, "-out", cert, "-CA", ca, "-CAkey", f"{ca}.key"]
        + ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"],
    ):
        subprocess.run([*new, *args], check=True, capture_output=True, timeout=20)
    return ca, key, cert


async def serving(undo, handler):
    """A wss:// server of `websockets`: its port, the file to trust, the names it was asked for, and how each of its
    connections was closed by the client."""
    ca, key, cert = authority()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    names, ends = [], asyncio.Queue()
    context.sni_callback = lambda _, name, __: names.append(name)

    async def handle(ws):
        try:
            await handler(ws)
        finally:
            await ws.wait_closed()
            ends.put_nowait((ws.close_code, ws.protocol.close_rcvd and ws.protocol.close_rcvd.code))

    server = await serve(handle, "127.0.0.1", 0, ssl=context)
    undo(server.close)
    return server.sockets[0].getsockname()[1], ca, names, ends


async def client(undo, port, ca, host="localhost"):
    return await Program.start(undo, PROGRAM, "connect", f"wss://{host}:{port}/", "--ca", ca)


async def echo(ws):
    async for message in ws:
        await ws.send(message)


@check("server: text, 1 MiB, fragments, a ping, a close with its code")
async def _(undo):
    server = await started(undo)
    for host in ("localhost", "127.0.0.1"):
        ws = await opened(undo, server, host)
        await echoes(ws, "Grüße", "text")
        await echoes(ws, MEBIBYTE_TEXT, "text of 1 MiB")
        await echoes(ws, bytes(range(256)) * 4096, "binary of 1 MiB")
        await within(await ws.ping("are you there?"), "the pong")
        await ws.send(["in ", "three ", "parts"])
        same(await within(ws.recv(), "the echo"), "in three parts", "fragments")
        await within(ws.close(4002), "the close")
        found(r" clean, sent 4002, received 4002$", await says(server, "^closed"), "log")


@check("server: closes first, with close_notify behind its Close")
async def _(undo):
    server = await started(undo)

    def talk():
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as tcp:
            # a ragged end would be an error here
            with server.trust.wrap_socket(tcp, server_hostname="localhost", suppress_ragged_eofs=False) as tls:
                tls.sendall(REQUEST + b"\x88\x82\0\0\0\0\x03\xe8")
                got = b""
                while octets := tls.recv(4096):
                    got += octets
                return got.partition(b"\r\n\r\n")[2]

    same(await within(asyncio.to_thread(talk), "the end"), b"\x88\x02\x03\xe8", "octets behind the response")


@check("server: SIGINT closes with 1001")
async def _(undo):
    server = await started(undo)
    ws = await opened(undo, server)
    server.interrupt()
    same(await closed(ws), 1001, "close")
    same(await server.exit(), 0, "exit status")


@check("server: a client that does not trust it sends nothing, and others are served")
async def _(undo):
    server = await started(undo)
    ws = await opened(undo, server)
    try:
        await within(connect(f"wss://localhost:{server.port}/", proxy=None), "a refusal")
    except ssl.SSLCertVerificationError:
        pass
    else:
        raise AssertionError("a certificate that nobody has signed was taken")
    found("not clean: ", await says(server, "^closed"), "log")
    await echoes(ws, "still here", "text")


@check("client: lines are echoed by a server that an authority vouches for; a name is sent, an address is not")
async def _(undo):
    port, ca, names, ends = await serving(undo, echo)
    for host in ("localhost", "127.0.0.1"):
        program = await client(undo, port, ca, host)
        for line in ("Grüße", "", "x" * 100_000):
            program.write(f"{line}\n")
            same(await program.line("the echo"), line, "echo")
        same(await program.finish(), (0, []), "outcome")
        same(await within(ends.get(), "the end"), (1000, 1000), "close")
    same(names, ["localhost", None], "names that the client asked for")


@check("client: what the server closes with is answered; exit 0")
async def _(undo):
    async def farewell(ws):
        await ws.send("welcome")
        await ws.send(b"\1\2\3")
        await ws.close(4003, "enough")

    port, ca, _, ends = await serving(undo, farewell)
    program = await client(undo, port, ca)
    same(await program.line("the welcome"), "welcome", "text")
    same(await program.line("the binary"), "binary, 3 octets", "binary")
    same(await program.exit(), 0, "exit status")
    found(r"closed clean, sent 4003, received 4003", program.stderr, "stderr")
    same(await within(ends.get(), "the end"), (4003, 4003), "close")


@check("client: Ctrl-C closes with 1001")
async def _(undo):
    port, ca, _, ends = await serving(undo, echo)
    program = await client(undo, port, ca)
    program.write("hello\n")
    same(await program.line("the echo"), "hello", "echo")
    program.process.send_signal(signal.SIGINT)
    same(await program.exit(), 0, "exit status")
    same(await within(ends.get(), "the end"), (1001, 1001), "close")


@check("client: a stream that ends without close_notify is no clean end; exit 1")
async def _(undo):
    async def cut(ws):
        await ws.recv()
        # TCP ends, and TLS does not
        ws.transport.get_extra_info("socket").shutdown(socket.SHUT_WR)

    port, ca, _, _ = await serving(undo, cut)
    program = await client(undo, port, ca)
    program.write("hello\n")
    same(await program.exit(), 1, "exit status")
    found("the stream was cut", program.stderr, "stderr")


main("tls, websockets")
