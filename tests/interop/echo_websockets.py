"""The echo server judged by the client of Python's `websockets`."""

from helper import MEBIBYTE, MEBIBYTE_TEXT, check, closed, echo_server, echoes, main, opened, same, within


async def closes(ws, *code_and_reason):
    await within(ws.close(*code_and_reason), "the close to be answered")
    return await closed(ws)


@check("connects, and without --deflate declines the offered permessage-deflate")
async def _(undo):
    server = await echo_server(undo)
    ws = await opened(undo, server.url)
    offer = ws.request.headers["Sec-WebSocket-Extensions"]
    same("permessage-deflate" in offer, True, "the offer")
    same(ws.protocol.extensions, [], "extensions")
    same(ws.subprotocol, None, "subprotocol")
    await echoes(ws, "compressible " * 1000, "text after the declined offer")


@check("text and binary, empty ones too")
async def _(undo):
    server = await echo_server(undo)
    ws = await opened(undo, server.url)
    await echoes(ws, "hello", "text")
    await echoes(ws, "Grüße, κόσμε, 世界 \U0001f600\0", "non-ASCII text")
    await echoes(ws, bytes(range(256)), "binary")
    await echoes(ws, "", "empty text")
    await echoes(ws, b"", "empty binary")


@check("lengths around every length encoding")
async def _(undo):
    server = await echo_server(undo)
    ws = await opened(undo, server.url)
    for length in [1, 125, 126, 127, 65535, 65536, 65537]:
        await echoes(ws, "x" * length, f"text of {length} bytes")
        await echoes(ws, b"\7" * length, f"binary of {length} bytes")


@check("1 MiB text and 1 MiB binary")
async def _(undo):
    server = await echo_server(undo)
    ws = await opened(undo, server.url)
    await echoes(ws, MEBIBYTE_TEXT, "1 MiB text")
    await echoes(ws, MEBIBYTE, "1 MiB binary")


@check("fragmented text and binary, empty fragments among them")
async def _(undo):
    server = await echo_server(undo)
    ws = await opened(undo, server.url)
    await ws.send(["frag", "", "men", "ted"])
    same(await within(ws.recv(), "the echo"), "fragmented", "text")
    await ws.send([b"", b"\1\2", b"\xff"])
    same(await within(ws.recv(), "the echo"), b"\1\2\xff", "binary")


@check("fragments that cut UTF-8 code points")
async def _(undo):
    server = await echo_server(undo)
    ws = await opened(undo, server.url)
    text = "é€\U0001f600"
    await ws.send([bytes([byte]) for byte in text.encode()], text=True)
    same(await within(ws.recv(), "the echo"), text, "text sent byte by byte")


@check("a ping gets a pong with the same payload")
async def _(undo):
    server = await echo_server(undo)
    ws = await opened(undo, server.url)
    for payload in [b"", b"are you there?", b"x" * 125]:
        await within(await ws.ping(payload), "the pong")


@check("pings between fragments are answered before the message ends")
async def _(undo):
    server = await echo_server(undo)
    ws = await opened(undo, server.url)

    async def fragments():
        yield "before "
        await within(await ws.ping("between"), "the pong")
        yield "and "
        await within(await ws.ping("again"), "the pong")
        yield "after"

    await ws.send(fragments())
    same(await within(ws.recv(), "the echo"), "before and after", "message around the pings")


@check("1000 small messages come back in order")
async def _(undo):
    server = await echo_server(undo)
    ws = await opened(undo, server.url)
    for i in range(1000):
        await ws.send(f"message {i}")
    for i in range(1000):
        same(await within(ws.recv(), f"echo {i}"), f"message {i}", "echo")


@check("a close with code and reason is answered with that code")
async def _(undo):
    server = await echo_server(undo)
    for code in [1000, 1001, 3000, 4999]:
        ws = await opened(undo, server.url)
        same(await closes(ws, code, "enough, söt"), code, "code of the answer")


@check("close without a code is answered without a code (1005)")
async def _(undo):
    server = await echo_server(undo)
    ws = await opened(undo, server.url)
    same(await closes(ws, None), 1005, "code of the answer")


@check("the first of its subprotocols that is offered gets selected")
async def _(undo):
    server = await echo_server(undo, "--subprotocol", "second", "--subprotocol", "first")
    for offer, choice in [
        (["first", "unknown", "second"], "second"),
        (["unknown", "first"], "first"),
        (["unknown"], None),
        (None, None),
    ]:
        ws = await opened(undo, server.url, subprotocols=offer)
        same(ws.subprotocol, choice, f"choice among {offer}")
        await echoes(ws, "hello", "text")


@check("a message over the limit gets 1009")
async def _(undo):
    server = await echo_server(undo, "--max-message", "1000")
    ws = await opened(undo, server.url)
    await echoes(ws, b"\1" * 1000, "binary at the limit")
    await ws.send(b"\1" * 1001)
    same(await closed(ws), 1009, "close code")
    ws = await opened(undo, server.url)
    await ws.send(["x" * 500, "y" * 501])
    same(await closed(ws), 1009, "close code for fragments")


@check("text that is not UTF-8 is answered with close 1007")
async def _(undo):
    server = await echo_server(undo)
    ws = await opened(undo, server.url)
    await ws.send(b"h\xffi", text=True)
    same(await closed(ws), 1007, "close code")


@check("SIGINT closes every open connection with 1001 and exits with 0")
async def _(undo):
    server = await echo_server(undo)
    connections = [await opened(undo, server.url) for _ in range(3)]
    for ws in connections:
        await echoes(ws, "here", "text")
    server.interrupt()
    for ws in connections:
        same(await closed(ws), 1001, "close code")
    same(await server.exit(), 0, "exit status")


main("echo server, websockets")
