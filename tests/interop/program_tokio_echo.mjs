// The program `tokio_echo` judged by Node's `ws`, by Python's `websockets`, and
// by sockets that misbehave, at both of its doors.

import {
  begin,
  check,
  connect,
  echoes,
  end,
  found,
  interopDir,
  MEBIBYTE,
  Program,
  Queue,
  same,
  within,
} from './helper.mjs';
import { bare, frame, opened, request, resident, start } from './program_tokio_echo_helper.mjs';

async function closes(ws, code) {
  same(await ws.next(`the close with ${code}`), { close: code }, 'close');
}

begin('tokio_echo');

const stopMain = [];
const main = await start((action) => stopMain.push(action), {}, '--connections', '500');
process.on('exit', () => stopMain.forEach((action) => action()));

await check('--help says what it does', async (after) => {
  const program = new Program(after, `${process.env.PROGRAMS}/tokio_echo`, ['--help']);
  const { status, lines } = await program.finish();
  same(status, 0, 'status');
  found(/echo server/, lines[0], 'its first line');
});

await check('hyper has a page too, and refuses what is no WebSocket', async () => {
  const at = (path) => within(fetch(new URL(path, main.doors.hyper.replace('ws:', 'http:'))), path);
  const page = await at('/');
  same([page.status, await page.text()], [200, 'An echo server: open a WebSocket at /ws.\n'], 'page');
  same((await at('/nothing')).status, 404, 'another path');
  same((await at('/ws')).status, 426, 'no upgrade');
});

for (const [door, url] of Object.entries(main.doors)) {
  await check(`${door}: text and binary, 5 MiB of each`, async (after) => {
    const ws = await connect(after, url);
    await echoes(ws, 'Grüße, κόσμε \u{1f600}', 'text');
    await echoes(ws, '', 'empty text');
    await echoes(ws, Buffer.alloc(0), 'empty binary');
    await echoes(ws, 'a\u00e9\u20ac\u{1f600}'.repeat(5 << 17), '5 MiB of text');
    await echoes(ws, Buffer.concat(Array(5).fill(MEBIBYTE)), '5 MiB of binary');
    ws.close(1000);
    await closes(ws, 1000);
  });

  await check(`${door}: fragments with pings between`, async (after) => {
    const ws = await connect(after, url);
    for (let number = 0; number < 100; number += 1) {
      ws.send(`begin ${number},`, { fin: false });
      ws.ping(`1 of ${number}`);
      ws.send('', { fin: false });
      ws.ping(`2 of ${number}`);
      ws.send(' end', { fin: true });
    }
    for (let number = 0; number < 100; number += 1) {
      same(await ws.next('the pong'), { pong: `1 of ${number}` }, 'first pong');
      same(await ws.next('the pong'), { pong: `2 of ${number}` }, 'second pong');
      same(await ws.next('the echo'), { text: `begin ${number}, end` }, 'message');
    }
  });

  await check(`${door}: close codes`, async (after) => {
    for (const [code, echoed] of [[1000, 1000], [3000, 3000], [4999, 4999], [undefined, 1005]]) {
      const ws = await connect(after, url);
      ws.close(code);
      await closes(ws, echoed);
    }
    const faults = [
      [1002, frame(0x83)], // a reserved opcode
      [1002, frame(0x09)], // a ping in fragments
      [1007, frame(0x81, Buffer.from([0xff]))], // no UTF-8
      [1009, Buffer.from([0x82, 0xff, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])], // 16 MiB
    ];
    for (const [code, octets] of faults) {
      const socket = await opened(after, url);
      socket.write(octets);
      await socket.over(`the end after ${code}`);
      same(socket.heard.subarray(0, 4), Buffer.from([0x88, 0x02, code >> 8, code & 255]), `Close ${code}`);
    }
  });

  await check(`${door}: frames right behind the request, and octet by octet`, async (after) => {
    const socket = await bare(after, url);
    const octets = Buffer.concat([Buffer.from(request(url)), frame(0x81, Buffer.from('early'))]);
    const answered = (heard) => heard.includes(Buffer.from('\x81\x05early', 'latin1'));
    socket.write(octets);
    await socket.until(answered, 'the echo of the early frame');
    const slow = await bare(after, url);
    slow.setNoDelay(true);
    for (const octet of octets) {
      slow.write(Buffer.from([octet]));
      await new Promise(setImmediate);
    }
    await slow.until(answered, 'the echo of the slow frame');
  });

  await check(`${door}: a client that reads late gets all, in order`, async (after) => {
    const ws = await connect(after, url);
    ws.pause();
    const text = 'x'.repeat(10_000);
    for (let number = 0; number < 3000; number += 1) ws.send(`${number} ${text}`); // 30 MB, more than buffers take
    const other = await connect(after, url);
    for (let number = 0; number < 100; number += 1) await echoes(other, `${number}`, 'another client');
    ws.resume();
    for (let number = 0; number < 3000; number += 1) {
      same(await ws.next('an echo'), { text: `${number} ${text}` }, 'message');
    }
  });

  await check(`${door}: a ping flood of clients that never read leaves memory and others alone`, async (after) => {
    const server = await start(after, {}, '--write', '2');
    const flooded = server.doors[door];
    const other = await connect(after, flooded);
    await echoes(other, 'warm', 'a message');
    const before = resident(server, 'VmRSS');
    const pings = Buffer.concat(Array(500).fill(frame(0x89, Buffer.alloc(125, 33))));
    const ended = [];
    let sent = 0;
    for (let peer = 0; peer < 10; peer += 1) {
      const socket = await opened(after, flooded);
      socket.pause();
      const flood = () => {
        while (!socket.destroyed && sent < 1 << 30) {
          sent += pings.length;
          if (!socket.write(pings)) return;
        }
      };
      socket.on('drain', flood);
      flood();
      ended.push(new Promise((resolve) => socket.on('close', resolve)));
    }
    for (let number = 0; number < 500; number += 1) {
      await echoes(other, `${number}`, 'another client in the flood');
    }
    await within(Promise.all(ended), 'the flooding clients to be dropped');
    await echoes(other, 'still here', 'another client after the flood');
    const grown = resident(server, 'VmHWM') - before;
    if (sent >= 1 << 30) throw new Error('the server took a GiB of pings of clients that do not read');
    if (grown > 10 * (512 << 10)) throw new Error(`${grown} octets of memory for 10 clients that do not read`);
  });

  await check(`${door}: resets in mid-frame and mid-request harm nobody`, async (after) => {
    const other = await connect(after, url);
    for (let number = 0; number < 100; number += 1) {
      const socket = number % 2 ? await opened(after, url) : await bare(after, url);
      const octets = number % 2 ? frame(0x82, Buffer.alloc(1000)) : Buffer.from(request(url));
      await within(new Promise((resolve) => socket.write(octets.subarray(0, 100), resolve)), 'the write');
      socket.resetAndDestroy();
      await echoes(other, `${number}`, 'another client');
    }
  });

  await check(`${door}: a peer that is half open is pinged, closed and dropped; one that answers lives`, async (after) => {
    const server = await start(after, {}, '--ping', '0.2', '--pong', '0.3', '--close', '0.3');
    const live = await connect(after, server.doors[door]);
    const began = performance.now();
    const dead = await opened(after, server.doors[door]);
    await dead.over('the end of the half-open peer', 10);
    const took = performance.now() - began;
    const expected = Buffer.concat([
      Buffer.from([0x89, 4, 0, 0, 0, 1, 0x88, 17, 0x03, 0xf3]),
      Buffer.from('no pong in time'),
    ]);
    same(dead.heard, expected, 'what it was told');
    if (took < 790) throw new Error(`dropped after ${took} ms already`);
    await echoes(live, 'I do answer', 'the other client');
  });

  await check(`${door}: who takes too long for a request is dropped`, async (after) => {
    const server = await start(after, {}, '--handshake', '0.4');
    const silent = await bare(after, server.doors[door]);
    const slow = await bare(after, server.doors[door]);
    slow.write(request(server.doors[door]).slice(0, 60));
    await silent.over('the end of the silent peer', 10);
    await slow.over('the end of the slow peer', 10);
    await echoes(await connect(after, server.doors[door]), 'in time', 'a message');
  });

  await check(`${door}: SIGTERM closes all with 1001 and exits with 0`, async (after) => {
    const server = await start(after, {}, '--close', '1');
    const clients = [];
    for (let number = 0; number < 20; number += 1) clients.push(await connect(after, server.doors[door]));
    const mute = await opened(after, server.doors[door]); // never answers the Close
    await bare(after, server.doors[door]); // has asked for nothing
    for (const ws of clients) ws.send('the last word');
    for (const ws of clients) same(await ws.next('the echo'), { text: 'the last word' }, 'echo');
    server.child.kill('SIGTERM');
    for (const ws of clients) await closes(ws, 1001);
    await mute.over('the end of the mute peer', 10);
    same(mute.heard, Buffer.from([0x88, 0x02, 0x03, 0xe9]), 'what the mute peer was told');
    same(await server.exit(), 0, 'exit status');
  });
}

await check('an octet at a time is no message: 1001 when it was idle for too long', async (after) => {
  const server = await start(after, {}, '--idle', '1', '--close', '0.5');
  const living = await connect(after, server.doors.raw);
  const expected = Buffer.concat([Buffer.from([0x88, 19, 0x03, 0xe9]), Buffer.from('idle for too long')]);
  const dripping = [];
  for (const url of Object.values(server.doors)) {
    const socket = await opened(after, url);
    const octets = [...frame(0x81, Buffer.alloc(1000, 'x'))];
    const drip = setInterval(() => socket.write(Buffer.of(octets.shift())), 50); // it does not stop at the Close
    after(() => clearInterval(drip));
    dripping.push(socket);
  }
  let areOver = false;
  const ends = Promise.all(dripping.map((socket) => socket.over('the end of one that drips', 10)));
  ends.finally(() => (areOver = true)).catch(() => {});
  while (!areOver) {
    await echoes(living, 'still here', 'text meanwhile');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await ends;
  for (const { heard } of dripping) same(heard, expected, 'what it was told');
  await echoes(living, 'still here', 'text thereafter');
});

await check('a client that reads slowly and steadily is not taken for one that does not', async (after) => {
  const server = await start(after, {}, '--write', '1.5', '--ping', '1', '--pong', '1');
  const data = Buffer.concat(Array(4).fill(MEBIBYTE));
  const read = async (url) => {
    const ws = await connect(after, url);
    ws.pause();
    let left = 0; // octets to be read before the next pause
    ws._socket.on('data', ({ length }) => (left -= length) <= 0 && ws.pause());
    const turn = setInterval(() => {
      left += 100_000;
      if (left > 0) ws.resume();
    }, 200);
    after(() => clearInterval(turn));
    await echoes(ws, data, '4 MiB');
  };
  await Promise.all(Object.values(server.doors).map(read));
});

await check('SIGINT does the same', async (after) => {
  const server = await start(after);
  const ws = await connect(after, server.doors.raw);
  server.child.kill('SIGINT');
  await closes(ws, 1001);
  same(await server.exit(), 0, 'exit status');
});

await check('no more connections than --connections, the others wait', async (after) => {
  const server = await start(after, {}, '--connections', '2');
  const first = await connect(after, server.doors.raw);
  await connect(after, server.doors.raw);
  const third = connect(after, server.doors.hyper);
  let isOpen = false;
  third.then(() => (isOpen = true), () => {});
  for (let number = 0; number < 200; number += 1) await echoes(first, `${number}`, 'a message');
  same(isOpen, false, 'the third is open');
  first.close();
  await closes(first, 1005);
  await echoes(await third, 'now', 'the third');
});

await check('a restart under load: clients reconnect and go on', async (after) => {
  let server = await start(after);
  const { doors } = server;
  const ports = { hyper: new URL(doors.hyper).port, raw: new URL(doors.raw).port };
  const [ready, reconnected] = [new Queue(), new Queue()];
  let isStopping = false;
  // sends numbers, each again until it is echoed; and reconnects, as often as it must
  const client = async (url) => {
    let [next, opens] = [0, 0];
    while (!isStopping) {
      const ws = await connect(after, url).catch(() => null);
      if (ws === null) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        continue;
      }
      opens += 1;
      for (const mark = next; ; ) {
        if (isStopping) {
          ws.close(1000);
          await closes(ws, 1000);
          break;
        }
        ws.send(`${next}`);
        const answer = await ws.next('an echo');
        if (answer.text === undefined) break; // it was closed
        same(answer, { text: `${next}` }, 'echo');
        next += 1;
        if (next === mark + 20) (opens === 1 ? ready : reconnected).push(url);
      }
    }
    return next;
  };
  const clients = Array.from({ length: 30 }, (_, number) => client(number % 2 ? doors.raw : doors.hyper));
  for (const _ of clients) await ready.next('a client to be at work');
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    server.child.kill(signal);
    same(await server.exit(), signal === 'SIGTERM' ? 0 : signal, 'exit status');
    server = await start(after, ports);
    for (const _ of clients) await reconnected.next(`a client to go on after ${signal}`);
  }
  isStopping = true;
  for (const next of await within(Promise.all(clients), 'the clients to end')) {
    if (next < 60) throw new Error(`a client got only ${next} echoes`);
  }
});

await check("Python's websockets, at both doors", async (after) => {
  const script = new URL('program_tokio_echo.py', import.meta.url).pathname;
  const urls = Object.values(main.doors);
  const python = new Program(after, `${interopDir}/venv/bin/python`, [script, ...urls]);
  const { status, lines } = await python.finish();
  same([status, lines], [0, urls.map((url) => `judged ${url}`)], 'what it says');
});

end();
