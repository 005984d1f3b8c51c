// The program in examples/tls: its server judged by `ws` and by hand, its client
// with its own server behind a relay that does what networks do. Then the same
// two by Python's `websockets`, in program_tls.py.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import {
  begin,
  check,
  connect,
  echoes,
  end,
  found,
  interopDir,
  MEBIBYTE,
  MEBIBYTE_TEXT,
  Program,
  Queue,
  report,
  same,
  within,
} from './helper.mjs';

const PROGRAM = `${process.env.PROGRAMS}/tls`;
const folder = mkdtempSync(`${interopDir}/tls-`);
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
let servers = 0;

/** Our server on a free port, with its certificate in `ca`. */
async function serve(after, ...args) {
  const file = `${folder}/${(servers += 1)}.pem`;
  const listen = args.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
  const program = new Program(after, PROGRAM, ['serve', '--write-cert', file, ...listen, ...args]);
  const line = await program.line('its address');
  const address = /^listening on wss:\/\/127\.0\.0\.1:(\d+)$/.exec(line);
  if (!address) throw new Error(`no address in its first line: ${line}`);
  return Object.assign(program, { port: Number(address[1]), file, ca: readFileSync(file) });
}

/** The next of the server's lines that has the pattern. */
async function says(server, pattern) {
  for (;;) {
    const line = await server.line(`a line with ${pattern}`);
    if (pattern.test(line)) return line;
  }
}

function open(after, server, options = {}) {
  return connect(after, `wss://localhost:${server.port}/chat`, [], { ca: server.ca, ...options });
}

function client(after, server, { port = server.port, host = 'localhost', file = server.file, args = [] } = {}) {
  return new Program(after, PROGRAM, ['connect', `wss://${host}:${port}/`, '--ca', file, ...args]);
}

/** Waits until a stream that must not be kept open has ended. */
function gone(socket, what, seconds) {
  socket.on('error', () => {}).resume();
  return within(new Promise((resolve) => socket.on('close', resolve)), what, seconds);
}

/** A TCP connection to the server by which `octets` went. */
async function plain(after, server, octets = '') {
  const socket = net.connect(server.port, '127.0.0.1');
  after(() => socket.destroy());
  await within(new Promise((resolve) => socket.on('connect', resolve)), 'a TCP connection');
  socket.write(octets);
  return socket;
}

/**
 * A relay of TCP to the server. `pass(octets, to)` passes them on, or does not;
 * `pairs` hands out [near, far] for each connection.
 */
async function relay(after, server, pass = (octets, to) => to.write(octets)) {
  const pairs = new Queue();
  const listener = net.createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
    const far = net.connect({ port: server.port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    for (const [from, to] of [[near, far], [far, near]]) {
      after(() => from.destroy());
      from.on('error', () => to.destroy());
      from.on('data', (octets) => pass(octets, to));
      from.on('end', () => to.end());
    }
    pairs.push([near, far]);
  });
  after(() => listener.close());
  await within(new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve)), 'the relay to listen');
  return { port: listener.address().port, pairs };
}

/** Octets of memory that the process has. */
const resident = ({ child }) =>
  1024 * Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]);

begin('tls server, ws');

const stopMain = [];
const main = await serve((action) => stopMain.push(action));
process.on('exit', () => stopMain.forEach((action) => action()));

for (const version of ['TLSv1.3', 'TLSv1.2']) {
  await check(`text and binary over ${version}, 1 MiB of each, and a close with its code`, async (after) => {
    const server = await serve(after);
    const ws = await open(after, server, { minVersion: version, maxVersion: version });
    found(new RegExp(`/chat over ${version.replace('.', '_')}`), await says(server, /^opened/), 'log');
    for (const text of ['', 'hello', 'Grüße, κόσμε, 世界 \u{1f600}', MEBIBYTE_TEXT]) await echoes(ws, text, 'text');
    for (const length of [0, 125, 126, 65535, 65536, 1 << 20]) {
      await echoes(ws, MEBIBYTE.subarray(0, length), `binary of ${length} octets`);
    }
    ws.close(4001);
    same(await ws.next('the close'), { close: 4001 }, 'close');
    found(/clean, sent 4001, received 4001$/, await says(server, /^closed/), 'log');
  });
}

await check('fragments, with a ping between them', async (after) => {
  const ws = await open(after, main);
  ws.send('before ', { fin: false });
  ws.ping('between');
  same(await ws.next('the pong'), { pong: 'between' }, 'pong');
  ws.send('after', { fin: true });
  same(await ws.next('the echo'), { text: 'before after' }, 'message');
});

await check('1000 messages at once come back in order', async (after) => {
  const ws = await open(after, main);
  for (let i = 0; i < 1000; i += 1) ws.send(`${i} ${'x'.repeat(i)}`);
  for (let i = 0; i < 1000; i += 1) same(await ws.next(`echo ${i}`), { text: `${i} ${'x'.repeat(i)}` }, 'echo');
});

await check('what breaks the protocol is answered with 1002, and is no clean end', async (after) => {
  const server = await serve(after);
  const ws = await open(after, server);
  ws._socket.write(Buffer.from([0x83, 0x80, 0, 0, 0, 0]));
  same(await ws.next('the close'), { close: 1002 }, 'close');
  found(/not clean: .*opcode/, await says(server, /^closed/), 'log');
});

await check('a request that is none is answered inside of TLS', async (after) => {
  const socket = tls.connect({ port: main.port, host: 'localhost', ca: main.ca });
  after(() => socket.destroy());
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const answer = await within(socket.toArray(), 'the answer');
  found(/^HTTP\/1\.1 426 /, Buffer.concat(answer).toString(), 'answer');
});

await check('plain HTTP gets its connection closed, and harms nobody', async (after) => {
  const server = await serve(after);
  const ws = await open(after, server);
  const socket = await plain(after, server, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await gone(socket, 'the end of plain HTTP');
  found(/not clean: .*corrupt message/, await says(server, /^closed/), 'log');
  await echoes(ws, 'still here', 'text');
});

await check('a TLS handshake that stalls, or that drips, is cut while others are served', async (after) => {
  const server = await serve(after, '--handshake', '1');
  const ws = await open(after, server);
  const started = performance.now();
  const hello = Buffer.from([22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3]);
  const stalled = [await plain(after, server), await plain(after, server, hello), await plain(after, server)];
  const drip = setInterval(() => stalled[2].write(hello.subarray(0, 1)), 100);
  after(() => clearInterval(drip));
  let served = 0;
  const all = Promise.all(stalled.map((socket) => gone(socket, 'a stalled handshake to be cut', 5))).then(() => true);
  do {
    await echoes(ws, `message ${(served += 1)}`, 'a text meanwhile');
  } while (!(await Promise.race([all, new Promise((resolve) => setImmediate(resolve))])));
  const seconds = (performance.now() - started) / 1000;
  same(seconds > 0.9 && seconds < 4, true, `cut after one second or two, not ${seconds}`);
  same(served > 10, true, `others were served ${served} times`);
});

await check('a peer that never reads is dropped; others are served; memory stays bounded', async (after) => {
  const server = await serve(after, '--write', '2');
  const other = await open(after, server);
  const before = resident(server);
  const greedy = await Promise.all(Array.from({ length: 8 }, () => open(after, server)));
  for (const ws of greedy) {
    ws.on('error', () => {});
    ws.pause();
    for (let i = 0; i < 32; i += 1) ws.send(MEBIBYTE);
  }
  await says(server, /^opened/);
  for (let dropped = 0; dropped < greedy.length; dropped += 1) {
    await echoes(other, MEBIBYTE, 'binary meanwhile');
    found(/not clean: the peer does not read/, await says(server, /^closed/), 'log');
  }
  await echoes(other, MEBIBYTE, 'binary thereafter');
  const grown = resident(server) - before;
  same(grown < 64 << 20, true, `memory has grown by ${grown >> 20} MiB`);
});

await check('a peer that falls silent is pinged, then closed with 1011, then dropped', async (after) => {
  const server = await serve(after, '--ping', '1', '--pong', '1', '--close', '1');
  const frozen = { now: false };
  const { port } = await relay(after, server, (octets, to) => frozen.now || to.write(octets));
  const ws = await open(after, { ...server, port });
  const pinged = new Promise((resolve) => ws.on('ping', resolve));
  await within(pinged, 'a ping');
  frozen.now = true;
  found(/not clean: no pong came in time/, await says(server, /^closed/), 'log');
});

await check('a server whose lines nobody reads serves on', async (after) => {
  const server = await serve(after);
  server.child.stdout.pause();
  for (let round = 0; round < 30; round += 1) {
    const all = Array.from({ length: 50 }, () => plain(after, server, 'GET / HTTP/1.1\r\n\r\n'));
    await Promise.all(all.map(async (socket) => gone(await socket, 'the end of a short connection')));
  }
  await echoes(await open(after, server), 'still here', 'text');
  server.child.kill('SIGTERM');
  await within(new Promise((resolve) => server.child.on('exit', resolve)), 'the end of the program', 10);
});

await check('octets now and then are no message: 1001 when it was idle for too long', async (after) => {
  const server = await serve(after, '--idle', '1', '--close', '1');
  const [dripping, living] = [await open(after, server), await open(after, server)];
  const octets = [0x82, 0xfe, 0x10, 0, 0, 0, 0, 0];
  const drip = setInterval(() => dripping._socket.write(Buffer.of(octets.shift() ?? 0)), 50);
  after(() => clearInterval(drip));
  let seen;
  dripping.next('the close').then((item) => (seen = item));
  dripping._socket.on('data', () => clearInterval(drip));
  while (!seen) {
    await echoes(living, 'still here', 'text meanwhile');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  same(seen, { close: 1001 }, 'close');
});

await check('a restart under load: 1001 for all, and the same port serves on', async (after) => {
  const first = await serve(after);
  const load = await Promise.all(Array.from({ length: 10 }, () => open(after, first)));
  const talks = load.map(async (ws) => {
    let echoed = 0;
    for (;;) {
      ws.send(`message ${echoed}`);
      const item = await ws.next('an echo or the close');
      if (item.close) return { close: item.close, echoed };
      same(item, { text: `message ${echoed}` }, 'echo');
      echoed += 1;
    }
  });
  await Promise.all(load.map((ws) => within(new Promise((resolve) => ws.once('message', resolve)), 'an echo')));
  first.child.kill('SIGTERM');
  for (const { close, echoed } of await Promise.all(talks)) same([close, echoed > 0], [1001, true], 'end of the load');
  same(await first.exit(), 0, 'exit status');
  const second = await serve(after, '--listen', `127.0.0.1:${first.port}`);
  await echoes(await open(after, second), 'again', 'text');
});

await check('SIGTERM closes with 1001 and ends the program', async (after) => {
  const server = await serve(after);
  const all = await Promise.all(Array.from({ length: 5 }, () => open(after, server)));
  server.child.kill('SIGTERM');
  for (const ws of all) same(await ws.next('the close'), { close: 1001 }, 'close');
  same(await server.exit(), 0, 'exit status');
});

for (const [what, cut] of [
  ['FIN', (near, far) => { near.end(); far.end(); }],
  ['RST', (near, far) => { near.resetAndDestroy(); far.resetAndDestroy(); }],
]) {
  await check(`a stream that is cut by ${what} amid a record is no clean end, at neither side`, async (after) => {
    const server = await serve(after);
    let left = Infinity;
    let pair;
    const { port, pairs } = await relay(after, server, (octets, to) => {
      const passed = octets.subarray(0, left);
      left -= passed.length;
      if (!to.writableEnded) to.write(passed);
      if (left === 0) cut(...pair);
    });
    const program = client(after, server, { port });
    pair = await pairs.next('the client at the relay');
    program.write('hello\n');
    same(await program.line('the echo'), 'hello', 'echo');
    left = 20;
    program.write(`${'x'.repeat(1000)}\n`);
    const log = await says(server, /^closed/);
    found(what === 'FIN' ? /not clean: the stream was cut/ : /not clean: .*reset/, log, 'log');
    const { status, lines, stderr } = await program.finish();
    same({ status, lines }, { status: 1, lines: [] }, 'outcome');
    found(what === 'FIN' ? /the stream was cut/ : /reset|cut/, stderr, 'stderr');
  });
}

await check('an octet at a time, both ways', async (after) => {
  const { port, pairs } = await relay(after, main, (octets, to) => {
    for (const octet of octets) to.write(Buffer.of(octet));
  });
  const ws = await open(after, { ...main, port });
  await pairs.next('the client at the relay');
  await echoes(ws, 'Grüße '.repeat(100), 'text');
  ws.close(1000);
  same(await ws.next('the close'), { close: 1000 }, 'close');
});

await check('60 connections that begin and vanish leave the others and the memory alone', async (after) => {
  const server = await serve(after);
  const staying = await open(after, server);
  await echoes(staying, MEBIBYTE, 'binary');
  const { port, pairs } = await relay(after, server);
  let before; // what the first of them have taken is there for those who follow
  for (let round = 0; round < 3; round += 1) {
    const all = await Promise.all(Array.from({ length: 20 }, () => open(after, { ...server, port })));
    for (const ws of all) {
      const [near, far] = await pairs.next('a connection at the relay');
      ws.on('error', () => {});
      ws.send(MEBIBYTE);
      await echoes(staying, 'meanwhile', 'text');
      far.resetAndDestroy();
      near.destroy();
    }
    for (let closed = 0; closed < all.length; closed += 1) await says(server, /^closed .* not clean/);
    before ??= resident(server);
  }
  await echoes(staying, MEBIBYTE, 'binary');
  const grown = resident(server) - before;
  same(grown < 16 << 20, true, `memory has grown by ${grown >> 20} MiB`);
});

begin('tls client, its own server');

await check('lines are echoed; close 1000 and exit 0', async (after) => {
  for (const host of ['localhost', '127.0.0.1']) {
    const { status, lines, stderr } = await client(after, main, { host }).finish('one\nGrüße\n\nlast');
    same({ status, lines }, { status: 0, lines: ['one', 'Grüße', '', 'last'] }, 'outcome');
    found(/connected over TLSv1_3\nclosed clean, sent 1000, received 1000/, stderr, 'stderr');
  }
});

await check('as much as there is, of which no side reads all first', async (after) => {
  const lines = Array.from({ length: 3000 }, (_, i) => `${i} ${'x'.repeat(5000)}`);
  const outcome = await client(after, main).finish(lines.map((line) => `${line}\n`).join(''));
  same(outcome.status, 0, 'exit status');
  same(outcome.lines.length, lines.length, 'lines');
  same(outcome.lines, lines, 'lines');
});

await check('a server that shows another certificate, or one for another name, is not talked to', async (after) => {
  const other = await serve(after, '--name', 'elsewhere.example');
  for (const [what, program, rule] of [
    ['another', client(after, main, { file: other.file }), /invalid peer certificate: (UnknownIssuer|BadSignature)/],
    ['for another name', client(after, other), /certificate not valid for name "localhost"/],
  ]) {
    const { status, lines, stderr } = await program.finish('secret\n');
    same({ status, lines }, { status: 1, lines: [] }, `outcome with ${what}`);
    found(rule, stderr, `stderr with ${what}`);
  }
  found(/not clean: received fatal alert/, await says(other, /^closed/), 'log');
});

await check('a file without a certificate, no file, a ws:// URL, no command', async (after) => {
  for (const [args, status, rule] of [
    [['connect', 'wss://localhost/', '--ca', '/dev/null'], 1, /no certificate in it/],
    [['connect', 'wss://localhost/', '--ca', `${folder}/none`], 1, /none: /],
    [['connect', 'ws://localhost/', '--ca', '/dev/null'], 1, /wss:/],
    [['connect', 'wss://localhost/'], 64, /--ca/],
    [[], 64, /usage/],
  ]) {
    const outcome = await new Program(after, PROGRAM, args).finish();
    same(outcome.status, status, `status of ${args}`);
    found(rule, outcome.stderr, `stderr of ${args}`);
  }
});

await check('a server that falls silent is left by the deadlines: exit 1', async (after) => {
  const frozen = { now: false };
  const { port } = await relay(after, main, (octets, to) => frozen.now || to.write(octets));
  const program = client(after, main, { port, args: ['--ping', '1', '--pong', '1', '--close', '1'] });
  program.write('hello\n');
  same(await program.line('the echo'), 'hello', 'echo');
  frozen.now = true;
  same(await program.exit(), 1, 'exit status');
  found(/no pong came in time/, program.stderr, 'stderr');
});

const python = spawn(`${interopDir}/venv/bin/python`, [new URL('program_tls.py', import.meta.url).pathname, folder], {
  stdio: 'inherit',
});
process.on('exit', () => python.kill('SIGKILL'));
const status = await within(new Promise((resolve) => python.on('close', resolve)), 'the Python part', 120).catch(
  (error) => error.message,
);
if (status === 3) process.exit(3); // it has said why
if (status !== 0) report('program_tls.py', 0, `broke off: ${status}`);
end();
