"""The command line client judged by servers of Python's `websockets`."""

import asyncio
import re
from http import HTTPStatus

from websockets.asyncio.server import broadcast

from helper import MEBIBYTE_TEXT, check, client, found, main, same, serving, within


async def echo(ws):
    async for message in ws:
        await ws.send(message)


@check("a line through a pipe is echoed; close 1000 and exit 0")
async def _(undo):
    url, told = await serving(undo, echo)
    program = await client(undo, url)
    same(await program.finish("hello\n"), (0, ["hello"]), "outcome")
    same((await told())[:2], ("closed", 1000), "close")


@check("non-ASCII text, empty lines")
async def _(undo):
    url, _ = await serving(undo, echo)
    lines = ["Grüße", "", "κόσμε, 世界 \U0001f600"]
    program = await client(undo, url)
    same(await program.finish("".join(f"{line}\n" for line in lines)), (0, lines), "outcome")


@check("a welcome message comes first, then upper-cased echoes")
async def _(undo):
    async def handler(ws):
        await ws.send("welcome")
        async for message in ws:
            await ws.send(message.upper())

    url, _ = await serving(undo, handler)
    program = await client(undo, url)
    same(await program.finish("one\ntwo\n"), (0, ["welcome", "ONE", "TWO"]), "outcome")


@check("a broadcast reaches all of three clients")
async def _(undo):
    members = set()
    joined = asyncio.Queue()

    async def handler(ws):
        members.add(ws)
        joined.put_nowait(ws)
        async for message in ws:
            broadcast(members, message)
        members.discard(ws)

    url, _ = await serving(undo, handler)
    clients = [await client(undo, url) for _ in range(3)]
    for _ in clients:
        await within(joined.get(), "a client to join")
    for i, speaker in enumerate(clients):
        speaker.write(f"{i} here\n")
        for listener in clients:
            same(await listener.line("the broadcast"), f"{i} here", "stdout")
    for each in clients:
        same(await each.finish(), (0, []), "outcome")


@check("a close by the server is shown and ends the client though its input is open")
async def _(undo):
    async def handler(ws):
        await ws.send("goodbye")
        await ws.close(4000, "going home")
        return ws.protocol.close_rcvd.code

    url, told = await serving(undo, handler)
    program = await client(undo, url)
    same(await program.line("the message before the close"), "goodbye", "stdout")
    same(await program.exit(), 0, "exit status")
    found(r"^closed 4000 going home$", program.stderr, "stderr")
    same(await told(), 4000, "code of the answer")


@check("a ping of the server is answered with the same payload")
async def _(undo):
    async def handler(ws):
        for payload in [b"", b"are you there?", b"x" * 125]:
            await within(await ws.ping(payload), "the pong")
        return "three pongs"

    url, told = await serving(undo, handler)
    program = await client(undo, url)
    same(await told(), "three pongs", "what the server saw")
    same(await program.finish(), (0, []), "outcome")


@check("a refused upgrade: status, header and body shown, exit 1")
async def _(undo):
    def refuse(connection, request):
        response = connection.respond(HTTPStatus.UNAUTHORIZED, "show a token first\n")
        response.headers["WWW-Authenticate"] = 'Bearer realm="chat"'
        return response

    url, _ = await serving(undo, echo, process_request=refuse)
    program = await client(undo, url)
    same(await program.finish("hello\n"), (1, []), "outcome")
    found(r"401 Unauthorized", program.stderr, "stderr")
    found(r'(?i)www-authenticate: Bearer realm="chat"', program.stderr, "stderr")
    found(r"show a token first", program.stderr, "stderr")


@check("a redirect is shown with its Location and not followed, exit 1")
async def _(undo):
    requests = []

    def redirect(connection, request):
        requests.append(request.path)
        response = connection.respond(HTTPStatus.FOUND, "")
        response.headers["Location"] = "/elsewhere"
        return response

    url, _ = await serving(undo, echo, process_request=redirect)
    program = await client(undo, url)
    same(await program.finish("hello\n"), (1, []), "outcome")
    same(requests, ["/"], "requests")
    found(r"302", program.stderr, "stderr")
    found(r"(?i)location: */elsewhere|redirect.*/elsewhere", program.stderr, "stderr")


@check("the server chooses among the offered subprotocols")
async def _(undo):
    async def handler(ws):
        offer = re.split(", *", ws.request.headers["Sec-WebSocket-Protocol"])
        await ws.send(f"{offer} -> {ws.subprotocol}")

    url, _ = await serving(undo, handler, subprotocols=["chat.v1"])
    program = await client(undo, url, "--subprotocol", "chat.v2", "--subprotocol", "chat.v1")
    same(await program.line("the choice"), "['chat.v2', 'chat.v1'] -> chat.v1", "stdout")
    same(await program.finish(), (0, []), "outcome")


@check("own headers and the origin arrive")
async def _(undo):
    async def handler(ws):
        headers = ws.request.headers
        return headers["X-Token"], headers["Origin"], ws.request.path

    url, told = await serving(undo, handler, origins=["https://example.org"])
    program = await client(
        undo, f"{url}chat?room=1", "--header", "X-Token: s3cret: yes", "--origin", "https://example.org"
    )
    same(await told(), ("s3cret: yes", "https://example.org", "/chat?room=1"), "request")
    same(await program.finish(), (0, []), "outcome")


@check("a fragmented message with pings between is one line")
async def _(undo):
    async def handler(ws):
        async def fragments():
            for byte in "1 € or a cent".encode():
                yield bytes([byte])
                await within(await ws.ping(), "the pong")

        await ws.send(fragments(), text=True)

    url, _ = await serving(undo, handler)
    program = await client(undo, url)
    same(await program.line("the message"), "1 € or a cent", "stdout")
    same(await program.finish(), (0, []), "outcome")


@check("1 MiB from the server, and 1 MiB there and back")
async def _(undo):
    async def handler(ws):
        await ws.send(MEBIBYTE_TEXT)
        await echo(ws)

    url, _ = await serving(undo, handler)
    line = MEBIBYTE_TEXT[1:] + "!"
    program = await client(undo, url)
    same(await program.finish(f"{line}\n"), (0, [MEBIBYTE_TEXT, line]), "outcome")


@check("10,000 lines through the pipe in order")
async def _(undo):
    url, _ = await serving(undo, echo)
    sent = [f"line {i}" for i in range(10_000)]
    program = await client(undo, url)
    status, lines = await program.finish("".join(f"{line}\n" for line in sent))
    same(len(lines), len(sent), "number of lines")
    wrong = [pair for pair in zip(lines, sent) if pair[0] != pair[1]]
    same(wrong, [], "wrong lines")
    same(status, 0, "exit status")


@check("/binary, /ping and /close do what they say")
async def _(undo):
    async def handler(ws):
        message = await within(ws.recv(), "the binary message")
        await ws.send(message)
        return message

    url, told = await serving(undo, handler)
    program = await client(undo, url)
    program.write("/binary 00ff10\n")
    same(await told(), b"\x00\xff\x10", "what arrived")
    same(await program.line("the echo"), "binary 00ff10", "stdout")
    program.write("/ping are you there\n/close 4001 bye for now\n")
    same(await program.line("the pong"), "pong are you there", "stdout")
    same(await told(), ("closed", 4001, "bye for now"), "close")
    same(await program.exit(), 0, "exit status")
    found(r"^closed 4001\b", program.stderr, "stderr")


main("client, websockets")
