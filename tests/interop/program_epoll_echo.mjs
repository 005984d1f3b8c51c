// The program `epoll_echo`: its server judged by the client of Node's `ws` and by
// peers on raw sockets; then its own load of ten thousand connections, of which
// each line is a check.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { inspect } from 'node:util';
import {
  begin,
  check,
  connect,
  echoes,
  end,
  found,
  MEBIBYTE,
  MEBIBYTE_TEXT,
  Program,
  report,
  same,
  within,
} from './helper.mjs';

const path = `${process.env.PROGRAMS}/epoll_echo`;

/** The server on a free port; `url` is its address, `port` its port. */
async function serve(after, ...args) {
  return listening(new Program(after, path, ['--listen', '127.0.0.1:0', ...args]));
}

async function listening(program) {
  const line = await program.line('its address');
  const address = /^listening on (ws:\/\/127\.0\.0\.1:(\d+))$/.exec(line);
  if (!address) throw new Error(`no address in its first line: ${inspect(line)}`);
  [, program.url, program.port] = address;
  return program;
}

/** A socket to the server; `over` is a promise of its end, `came` all that it has read. */
async function dial(after, { port }) {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  after(() => socket.destroy());
  socket.came = Buffer.alloc(0);
  socket.on('data', (data) => (socket.came = Buffer.concat([socket.came, data])));
  socket.over = new Promise((resolve) => {
    socket.on('end', () => resolve('end'));
    socket.on('close', () => resolve('close'));
    socket.on('error', (error) => resolve(error.code));
  });
  await within(new Promise((resolve) => socket.on('connect', resolve)), 'the connection');
  return socket;
}

const REQUEST =
  'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

/** Until what the socket has read is as `test` wants it. */
async function until(socket, what, test) {
  while (!test(socket.came)) await within(new Promise((resolve) => socket.once('data', resolve)), what);
}

/** A socket with a handshake behind it, and nothing else read. */
async function open(after, server) {
  const socket = await dial(after, server);
  socket.write(REQUEST);
  await until(socket, 'the response', (came) => came.includes('\r\n\r\n'));
  found(/^HTTP\/1\.1 101 /, socket.came.toString('latin1'), 'the response');
  socket.came = socket.came.subarray(socket.came.indexOf('\r\n\r\n') + 4);
  return socket;
}

/** A frame whose mask changes nothing. */
function frame(first, payload, length = payload.length) {
  const size = length < 126 ? 6 : length < 65536 ? 8 : 14;
  const header = Buffer.alloc(size, 0);
  header[0] = first;
  header[1] = 0x80 | { 6: length, 8: 126, 14: 127 }[size];
  if (size === 8) header.writeUInt16BE(length, 2);
  if (size === 14) header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, payload]);
}

async function figures(after, server) {
  const ws = await connect(after, `${server.url}/stats`);
  const { text } = await ws.next('the figures');
  same(await ws.next('the close'), { close: 1000 }, 'close');
  return Object.fromEntries(text.split(' ').map((pair) => [pair.split('=')[0], Number(pair.split('=')[1])]));
}

/** The figures, once they are as `test` wants them. */
async function figuresWhen(after, server, what, test) {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const now = await figures(after, server);
    if (test(now)) return now;
    if (performance.now() > deadline) throw new Error(`${what}: ${inspect(now)}`);
  }
}

begin('epoll_echo');

const stop = [];
process.on('exit', () => stop.forEach((action) => action()));
const main = await serve((action) => stop.push(action), '--stats');

await check('text and binary, empty ones too', async (after) => {
  const ws = await connect(after, main.url);
  const text = 'Grüße, κόσμε, 世界 \u{1f600}\u0000';
  for (const data of ['hello', text, '', Buffer.alloc(0), MEBIBYTE.subarray(0, 256)]) {
    await echoes(ws, data, inspect(data));
  }
});

await check('lengths around every length encoding, and around what is not copied', async (after) => {
  const ws = await connect(after, main.url);
  for (const length of [1, 125, 126, 127, 16383, 16384, 16385, 65535, 65536, 65537]) {
    await echoes(ws, 'x'.repeat(length), `text of ${length} bytes`);
    await echoes(ws, Buffer.alloc(length, 7), `binary of ${length} bytes`);
  }
});

await check('5 MiB of text and of binary', async (after) => {
  const ws = await connect(after, main.url);
  await echoes(ws, Buffer.concat(Array(5).fill(MEBIBYTE)), '5 MiB binary');
  await echoes(ws, MEBIBYTE_TEXT.slice(0, MEBIBYTE_TEXT.length / 2).repeat(10), '5 MiB text');
});

await check('large and small ones come back in order, by writev or not', async (after) => {
  const ws = await connect(after, main.url);
  const all = Array.from({ length: 200 }, (_, i) => randomBytes(i % 9 === 0 ? 200_000 + i : i));
  all.splice(100, 0, randomBytes(5 << 20));
  for (const each of all) ws.send(each);
  for (const [i, binary] of all.entries()) same(await ws.next(`echo ${i}`), { binary }, `echo ${i}`);
});

await check('fragments, with a ping between them', async (after) => {
  const ws = await connect(after, main.url);
  ws.send('frag', { fin: false });
  ws.send('', { fin: false });
  ws.ping('between');
  same(await ws.next('the pong'), { pong: 'between' }, 'pong');
  ws.send('mented', { fin: true });
  same(await ws.next('the echo'), { text: 'fragmented' }, 'text');
  const parts = Array.from({ length: 40 }, (_, i) => MEBIBYTE.subarray(0, i * 5000));
  parts.forEach((part, i) => ws.send(part, { binary: true, fin: i === 39 }));
  same(await ws.next('the echo'), { binary: Buffer.concat(parts) }, 'binary');
});

await check('10,000 small messages come back in order', async (after) => {
  const ws = await connect(after, main.url);
  for (let i = 0; i < 10_000; i += 1) ws.send(`message ${i}`);
  for (let i = 0; i < 10_000; i += 1) same(await ws.next(`echo ${i}`), { text: `message ${i}` }, 'echo');
});

await check('messages octet by octet, and behind the request in one packet', async (after) => {
  const socket = await dial(after, main);
  const hello = frame(0x81, Buffer.from('Hello'));
  socket.write(Buffer.concat([Buffer.from(REQUEST), hello]));
  const echo = Buffer.from('\x81\x05Hello', 'latin1');
  await until(socket, 'the echo', (came) => came.includes(echo));
  for (const octet of hello) {
    await new Promise((resolve) => socket.write(Buffer.of(octet), resolve));
  }
  const twice = Buffer.concat([echo, echo]);
  await until(socket, 'the echo', (came) => came.subarray(-twice.length).equals(twice));
});

for (const code of [1000, 3000]) {
  await check(`close ${code} behind a message: the echo, and the same code`, async (after) => {
    const ws = await connect(after, main.url);
    ws.send('last words');
    ws.close(code);
    same(await ws.next('the echo'), { text: 'last words' }, 'echo');
    same(await ws.next('the close'), { close: code }, 'close');
  });
}

for (const [what, code, send] of [
  ['an unmasked frame', 1002, (ws) => ws.send('no mask', { mask: false })],
  ['text that is not UTF-8', 1007, (ws) => ws.send(Buffer.of(0xff), { binary: false })],
  ['a message that is too long', 1009, (ws) => ws.send(Buffer.alloc((16 << 20) + 1))],
]) {
  await check(`${what} is answered with ${code}`, async (after) => {
    const ws = await connect(after, main.url);
    send(ws);
    same(await ws.next('the close'), { close: code }, 'close');
  });
}

await check('a plain GET is answered with 426', async () => {
  const response = await within(
    new Promise((resolve, reject) => {
      const request = http.get(main.url.replace('ws:', 'http:'), { agent: false }, resolve);
      request.on('error', reject);
    }),
    'the answer',
  );
  same(response.resume().statusCode, 426, 'status');
});

await check('a stream that ends behind a message: its echo, then the end', async (after) => {
  const socket = await open(after, main);
  socket.end(frame(0x82, MEBIBYTE));
  same(await within(socket.over, 'the end'), 'end', 'how it ends');
  same(socket.came.subarray(10), MEBIBYTE, 'the echo');
});

await check('who floods does not keep the others waiting, and gets all of its own', async (after) => {
  const flood = await open(after, main);
  let came = 0;
  flood.removeAllListeners('data').on('data', (data) => (came += data.length));
  const one = frame(0x82, MEBIBYTE.subarray(0, 65536));
  let left = 1000;
  const pump = () => {
    while (left > 0) {
      left -= 1;
      if (!flood.write(one)) return flood.once('drain', pump);
    }
    return undefined;
  };
  pump();
  const ws = await connect(after, main.url);
  let rounds = 0;
  while (left > 0 || rounds < 20) {
    await echoes(ws, `round ${rounds}`, 'text');
    rounds += 1;
  }
  while (came < 1000 * (65536 + 10)) await within(new Promise((resolve) => flood.once('data', resolve)), 'the echoes');
  same(came, 1000 * (65536 + 10), 'octets');
});

await check('a peer that stops reading loses nothing once it reads again', async (after) => {
  const ws = await connect(after, main.url);
  const all = Array.from({ length: 300 }, (_, i) => Buffer.alloc(50_000, i));
  ws.pause();
  for (const each of all) ws.send(each);
  // what it is sent fills what the systems hold of it; meanwhile another one is served
  await echoes(await connect(after, main.url), 'hello', 'text');
  await figuresWhen(after, main, 'something waits for it', (now) => now.held > 0);
  ws.resume();
  for (const [i, binary] of all.entries()) same(await ws.next(`echo ${i}`), { binary }, `echo ${i}`);
});

await check('50 peers that reset amid a frame leave nothing behind', async (after) => {
  const staying = await connect(after, main.url);
  const before = await figures(after, main);
  for (let i = 0; i < 50; i += 1) {
    const socket = await open(after, main);
    await new Promise((resolve) => socket.write(frame(0x82, Buffer.alloc(30_000), 60_000), resolve));
    socket.resetAndDestroy();
    await echoes(staying, `number ${i}`, 'text');
  }
  const gone = (now) => now.broken_off === before.broken_off + 50 && now.connections === before.connections;
  same((await figuresWhen(after, main, 'they are gone', gone)).held, 0, 'octets held');
});

await check('deadlines: each that does not keep one is dropped, the others are not', async (after) => {
  const flags = ['--handshake=0.5', '--ping=0.5', '--pong=0.5', '--close=0.5'];
  const server = await serve(after, ...flags, '--write=0.7', '--stats');
  const well = await connect(after, server.url);
  well.on('ping', () => (well.pings = (well.pings ?? 0) + 1));
  const late = await dial(after, server);
  late.write('GET / HTTP/1.1\r\n');
  const silent = await open(after, server); // reads, and answers nothing
  const deaf = await open(after, server);
  deaf.pause().write(frame(0x82, Buffer.alloc(12 << 20)));
  found(/^(end|close|ECONNRESET)$/, await within(late.over, 'the end of the late one'), 'the late one');
  found(/^(end|close|ECONNRESET)$/, await within(silent.over, 'the end of the silent one'), 'the silent one');
  const [ping, close] = [silent.came.subarray(0, 6), silent.came.subarray(6)];
  same(ping.subarray(0, 2), Buffer.of(0x89, 4), 'its first frame, a ping');
  same([close[0], close.readUInt16BE(2)], [0x88, 1011], 'its second frame, a close');
  const ends = (now) => now.slow_handshake === 1 && now.silent === 1 && now.slow_reader === 1;
  await figuresWhen(after, server, 'one has ended for each', ends);
  await echoes(well, 'still here', 'text');
  same(well.pings > 0, true, 'it was pinged');
});

await check('--write: a peer that reads slowly, but steadily, gets all of a large echo', async (after) => {
  const server = await serve(after, '--write=0.7');
  const slow = await open(after, server);
  const length = 8 << 20;
  let come = 0;
  slow.removeAllListeners('data').on('data', (data) => {
    come += data.length;
    slow.pause();
    setTimeout(() => slow.resume(), 80);
  });
  slow.write(frame(0x82, Buffer.alloc(length)));
  const whole = new Promise((resolve) => slow.on('data', () => come === length + 10 && resolve('whole')));
  same(await within(Promise.race([whole, slow.over]), 'the echo', 50), 'whole', `the end, after ${come} octets`);
});

await check('--idle: a peer that sends an octet at a time is closed with 1001', async (after) => {
  const server = await serve(after, '--idle=0.5', '--close=0.5');
  const busy = await connect(after, server.url);
  const drip = await open(after, server);
  drip.write(frame(0x81, Buffer.alloc(0), 1000));
  let isClosed = false;
  drip.over.then(() => (isClosed = true));
  for (let rounds = 0; !isClosed; rounds += 1) {
    if (rounds > 200) throw new Error('it is still open');
    drip.write('x');
    await echoes(busy, `round ${rounds}`, 'text');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  same(drip.came.subarray(2, 4), Buffer.of(0x03, 0xe9), 'code');
  await echoes(busy, 'still here', 'text');
});

await check('--max-connections: above it 503, and room again when one has left', async (after) => {
  const server = await serve(after, '--max-connections', '2');
  const [first] = [await connect(after, server.url), await connect(after, server.url)];
  const status = () => connect(after, server.url).then(() => 101, (error) => error.message);
  same(await status(), 'Unexpected server response: 503', 'the third');
  first.close(1000);
  same(await first.next('the close'), { close: 1000 }, 'close');
  const deadline = performance.now() + 10_000;
  while ((await status()) !== 101) if (performance.now() > deadline) throw new Error('there is no room');
});

await check('--max-memory: those that hold much are dropped when it is exceeded, and nobody else', async (after) => {
  const server = await serve(after, '--max-memory', '4000000', '--stats');
  const ws = await connect(after, server.url);
  const all = await Promise.all(Array.from({ length: 10 }, () => open(after, server)));
  for (const socket of all) socket.write(frame(0x82, MEBIBYTE, 2 << 20));
  const now = await figuresWhen(after, server, 'some are dropped', ({ overflow }) => overflow > 0);
  if (now.held > 8_000_000) throw new Error(`all hold ${now.held} octets`);
  await echoes(ws, 'still here', 'text');
});

await check('no files left: it does not spin, and goes on when there are some', async (after) => {
  const shell = ['-c', 'ulimit -n 30 && exec "$0" --listen 127.0.0.1:0', path];
  const server = await listening(new Program(after, 'bash', shell));
  const first = await connect(after, server.url);
  const all = await Promise.all(Array.from({ length: 60 }, () => dial(after, server)));
  const ticks = () => {
    const fields = readFileSync(`/proc/${server.child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return Number(fields[11]) + Number(fields[12]);
  };
  const before = ticks();
  const start = performance.now();
  for (let rounds = 0; performance.now() - start < 1000; rounds += 1) {
    await echoes(first, `round ${rounds}`, 'text');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const used = ticks() - before; // of 100 in a second
  if (used > 10) throw new Error(`it used ${used} ticks of a second`);
  all.forEach((socket) => socket.destroy());
  await echoes(await connect(after, server.url), 'room again', 'text');
});

await check('SIGTERM closes all with 1001, waits for the answers, and exits with 0', async (after) => {
  const server = await serve(after, '--close=1');
  const all = [];
  for (let i = 0; i < 20; i += 1) all.push(await connect(after, server.url));
  const mute = await open(after, server); // never answers
  const half = await dial(after, server);
  half.write('GET / HTTP/1.1\r\n');
  all[0].send('half a message', { fin: false });
  await echoes(all[1], 'here', 'text');
  server.child.kill('SIGTERM');
  for (const ws of all) same(await ws.next('the close'), { close: 1001 }, 'close');
  await within(Promise.all([mute.over, half.over]), 'the end of the others');
  same(mute.came.subarray(0, 4), Buffer.of(0x88, 2, 0x03, 0xe9), 'its close');
  const { status, lines } = await server.finish();
  same(status, 0, 'exit status');
  found(/^ended: connections=0 held=0 .* closed=21 .* silent=1 /, lines.join(), 'its last line');
});

await check('the server of the first checks is still well', async (after) => {
  const now = await figuresWhen(after, main, 'all have left', (figures) => figures.connections === 1);
  same(now.held, 0, 'octets held');
  main.child.kill('SIGINT');
  same(await main.exit(), 0, 'exit status');
  same(main.stderr, '', 'stderr');
});

/** The load: each of its lines is a check. */
async function load() {
  const program = new Program((action) => stop.push(action), path, ['load']);
  let [since, lines] = [performance.now(), 0];
  for (;;) {
    const next = await program.line('what it has found').catch((error) => ({ ended: error.message }));
    const line = /^(ok|FAIL) +(.*)$/.exec(next);
    if (!line) {
      // its status says the same as its lines
      const problem = /^exit 0 /.test(next.ended) && lines > 15 ? undefined : next.ended ?? `it printed ${next}`;
      return report('load: ended well', 0, problem && `${problem} ${program.stderr.slice(-400)}`);
    }
    const now = performance.now();
    report(`load: ${line[2]}`, now - since, line[1] === 'ok' ? undefined : 'see above');
    [since, lines] = [now, lines + 1];
  }
}

await load();
end();
