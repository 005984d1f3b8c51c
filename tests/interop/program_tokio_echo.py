"""The program `tokio_echo` judged by the client of Python's `websockets`, for
`program_tokio_echo.mjs`: one URL for each of its doors."""

import asyncio
import sys

from helper import Undo, echoes, opened, same, within


async def judge(url, undo):
    ws = await opened(undo, url)
    await echoes(ws, "Grüße, κόσμε \U0001f600", "text")
    await echoes(ws, "", "empty text")
    five_mebibytes = bytes(range(256)) * (5 << 12)
    await echoes(ws, five_mebibytes, "5 MiB")

    # fragments, with a ping in between
    async def fragments():
        yield "in "
        pong = await ws.ping(b"between")
        yield "three "
        await within(pong, "the pong")
        yield "parts"

    await within(ws.send(fragments()), "the fragments to be sent")
    same(await within(ws.recv(), "the echo"), "in three parts", "fragments")

    # many under way at the same time
    async def send():
        for number in range(5000):
            await ws.send(str(number))

    sending = asyncio.create_task(send())
    for number in range(5000):
        same(await within(ws.recv(), "an echo"), str(number), "message")
    await sending

    await within(ws.close(4001, "that was it"), "the close to be answered")
    same(ws.close_code, 4001, "close code")


async def main():
    undo = Undo()
    try:
        for url in sys.argv[1:]:
            await judge(url, undo)
            print(f"judged {url}", flush=True)
    finally:
        undo.run()


asyncio.run(main())
