// The program in examples/h2: by headless Chromium, whose WebSocket has to go
// over the HTTP/2 connection of the page; and by Node's `http2`, with the frames
// of `ws` in its streams.

import http2 from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';
import {
  begin,
  check,
  echoes,
  end,
  found,
  MEBIBYTE,
  MEBIBYTE_TEXT,
  same,
  within,
} from './helper.mjs';
import { browser } from './devtools.mjs';
import { accepted, connect, frame, open, request, slowly } from './program_h2_client.mjs';
import { load } from './program_h2_load.mjs';
import { resident, says, serve } from './program_h2_server.mjs';

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = http2.constants;

begin('h2, Chromium');

await check('the page comes over h2, its WebSocket on the same connection; 1001 at the end', async (after) => {
  const server = await serve(after);
  const { tab, close } = await browser(after, { flags: ['--ignore-certificate-errors'] });
  const shown = await tab(`https://localhost:${server.port}/`);
  const evaluate = (expression) => shown.value(expression);
  const page = await says(server, /^asked (\S+) HTTP\/2\.0 stream (\d+) GET \/$/);
  const opened = await says(server, /^opened (\S+) HTTP\/2\.0 stream (\d+) \/echo$/);
  same(opened[1], page[1], 'address and port of the connection that the WebSocket is on');
  same(Number(opened[2]) > Number(page[2]), true, 'a later stream of it');

  const text = (id) => evaluate(`document.getElementById('${id}')?.textContent`);
  for (const [id, want] of [['page', 'h2'], ['state', 'open']]) {
    let got;
    for (let tries = 0; got !== want && tries < 500; tries += 1) got = await text(id);
    same(got, want, id);
  }
  same(await evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol"), 'h2', 'protocol of the page');

  // the page itself: type, send, see the echo
  const seen = await evaluate(`new Promise((resolve) => {
    const echoes = document.getElementById('echoes');
    new MutationObserver(() => resolve(echoes.textContent)).observe(echoes, { childList: true });
    document.getElementById('text').value = 'Grüße';
    document.querySelector('button').click();
  })`);
  same(seen, 'Grüße', 'echo on the page');

  // and more, in a WebSocket of the judge's
  const outcome = await evaluate(`new Promise((resolve) => {
    const ws = new WebSocket('wss://' + location.host + '/judge');
    ws.binaryType = 'arraybuffer';
    const bytes = (length) => Uint8Array.from({ length }, (_, i) => (i * 31) & 255);
    const sent = ['', 'hello', 'aé€😀xxxxxx'.repeat(65536), bytes(0), bytes(70000), bytes(1 << 20)];
    for (let i = 0; i < 500; i += 1) sent.push('message ' + i);
    const plain = (data) => (typeof data === 'string' ? data : '[binary ' + new Uint8Array(data) + ']');
    let equal = 0;
    ws.onopen = () => sent.forEach((data) => ws.send(data));
    ws.onmessage = ({ data }) => {
      equal += plain(data) === plain(sent[equal]);
      if (equal === sent.length) ws.close(4001);
    };
    ws.onerror = () => resolve('error');
    ws.onclose = ({ code, wasClean }) => resolve({ equal, code, wasClean });
  })`);
  same(outcome, { equal: 506, code: 4001, wasClean: true }, 'outcome');
  const judged = await says(server, /^opened (\S+) HTTP\/2\.0 stream \d+ \/judge$/);
  same(judged[1], page[1], 'its connection');
  await says(server, /^closed .* clean, sent 4001, received 4001$/);

  // what is open is closed with 1001
  const closing = evaluate(`new Promise((resolve) => {
    const last = new WebSocket('wss://' + location.host + '/last');
    last.onclose = ({ code, wasClean }) => resolve({ code, wasClean });
  })`);
  await says(server, /^opened (\S+) HTTP\/2\.0 stream \d+ \/last$/);
  server.child.kill('SIGTERM');
  same(await closing, { code: 1001, wasClean: true }, 'close');
  same(await text('state'), 'closed with 1001, clean', 'what the page says');
  same(await server.exit(), 0, 'exit status');
  await close();
}, 50);

begin('h2, Node');

const stopMain = [];
const main = await serve((action) => stopMain.push(action));
process.on('exit', () => stopMain.forEach((action) => action()));

await check('nothing but h2 is offered', async (after) => {
  const ask = (ALPNProtocols) => {
    const socket = tls.connect({ port: main.port, host: 'localhost', ca: main.ca, ALPNProtocols });
    after(() => socket.destroy());
    return within(
      new Promise((resolve) => {
        socket.on('secureConnect', () => socket.alpnProtocol && resolve(socket.alpnProtocol));
        socket.on('error', ({ code }) => resolve(code)).on('close', () => resolve('closed')).resume();
      }),
      'an answer',
    );
  };
  same(await ask(['http/1.1', 'h2']), 'h2', 'h2 and more');
  found(/NO_APPLICATION_PROTOCOL/, await ask(['http/1.1']), 'HTTP/1.1 alone');
  found(/closed|RESET/, await ask(undefined), 'nothing');
});

await check('text and binary of all lengths, up to 1 MiB', async (after) => {
  const ws = await open(after, await connect(after, main));
  for (const length of [0, 1, 125, 126, 65535, 65536, 1 << 20]) {
    await echoes(ws, 'x'.repeat(length), `text of ${length} octets`);
    await echoes(ws, MEBIBYTE.subarray(0, length), `binary of ${length} octets`);
  }
  await echoes(ws, MEBIBYTE_TEXT, 'text of 1 MiB with longer characters');
  ws.send('before ', { fin: false });
  ws.send('after', { fin: true });
  same(await ws.next('the echo'), { text: 'before after' }, 'fragments');
});

await check('a clean close ends both halves, and resets nothing', async (after) => {
  const server = await serve(after);
  const ws = await open(after, await connect(after, server));
  ws.close(4001);
  same(await ws.next('the close'), { close: 4001 }, 'close');
  same(await ws.stream.ends.next('the end of the stream'), NGHTTP2_NO_ERROR, 'code');
  await says(server, /^closed .* clean, sent 4001, received 4001$/);
});

await check('END_STREAM follows the answer to a Close; then CANCEL, if the client does not end', async (after) => {
  const stream = await accepted(await connect(after, main));
  stream.write(frame(8, [0x03, 0xe8]));
  const octets = [];
  stream.on('data', (data) => octets.push(data));
  await within(new Promise((resolve) => stream.on('end', resolve)), 'END_STREAM');
  same(Buffer.concat(octets), Buffer.from([0x88, 2, 0x03, 0xe8]), 'octets');
  same(await stream.ends.next('the end of the stream'), NGHTTP2_CANCEL, 'code');
});

await check('a frame that breaks the protocol is answered with 1002, then END_STREAM', async (after) => {
  const server = await serve(after);
  const ws = await open(after, await connect(after, server));
  ws.stream.write(frame(3, ''));
  same(await ws.next('the close'), { close: 1002 }, 'close');
  same(await ws.stream.ends.next('the end of the stream'), NGHTTP2_NO_ERROR, 'code');
  await says(server, /^closed .* not clean: .*opcode/);
});

await check('80 streams of one connection, 1 MiB over small windows: each gets its own', async (after) => {
  const session = await connect(after, main, { settings: { initialWindowSize: 20_000 } });
  const all = await Promise.all(Array.from({ length: 80 }, () => open(after, session)));
  for (const [i, ws] of all.entries()) {
    ws.send(`from ${i}`);
    if (i % 20 === 0) ws.send(MEBIBYTE);
  }
  for (const [i, ws] of all.entries()) {
    same(await ws.next(`text ${i}`), { text: `from ${i}` }, 'text');
    if (i % 20 === 0) same(await ws.next(`binary ${i}`), { binary: MEBIBYTE }, 'binary');
  }
});

await check('a stream that is reset amid a frame ends alone', async (after) => {
  const server = await serve(after);
  const session = await connect(after, server);
  const staying = await open(after, session);
  const abort = new AbortController();
  const leaving = await accepted(session, { signal: abort.signal });
  leaving.write(frame(1, 'a whole message').subarray(0, 10));
  await echoes(staying, 'one', 'text');
  abort.abort();
  await says(server, /^closed .* not clean: stream error received/);
  const ending = await accepted(session);
  ending.end(frame(1, 'a whole message').subarray(0, 10));
  await says(server, /^closed .* not clean: .*ended/);
  await echoes(staying, 'two', 'text');
});

await check('a connection that vanishes takes its streams along, and nothing else', async (after) => {
  const server = await serve(after);
  const staying = await open(after, await connect(after, server));
  const tcp = net.connect(server.port, '127.0.0.1').on('error', () => {});
  const createConnection = () =>
    tls.connect({ socket: tcp, servername: 'localhost', ca: server.ca, ALPNProtocols: ['h2'] }).on('error', () => {});
  const session = await connect(after, server, { createConnection });
  const streams = await Promise.all(Array.from({ length: 20 }, () => open(after, session)));
  streams.forEach((ws) => ws.send(MEBIBYTE));
  await streams[0].next('an echo');
  tcp.resetAndDestroy();
  for (let closed = 0; closed < streams.length; closed += 1) await says(server, /^closed .* not clean/);
  await says(server, /^l(ost|eft) /);
  await echoes(staying, 'still here', 'text');
});

await check('streams that never read: their windows fill, the server holds no more, others go on', async (after) => {
  const server = await serve(after, '--write', '3');
  const session = await connect(after, server);
  const staying = await open(after, session);
  await echoes(staying, MEBIBYTE, 'binary');
  const before = resident(server);
  const greedy = await Promise.all(Array.from({ length: 20 }, () => open(after, session)));
  for (const ws of greedy) {
    ws.pause();
    for (let i = 0; i < 4; i += 1) ws.send(MEBIBYTE);
  }
  for (let i = 0; i < 20; i += 1) await echoes(staying, MEBIBYTE.subarray(0, 100_000), `binary ${i} meanwhile`);
  const grown = resident(server) - before;
  same(grown < 24 << 20, true, `memory has grown by ${grown >> 20} MiB with 80 MiB sent`);
  for (let closed = 0; closed < greedy.length; closed += 1) {
    await says(server, /^closed .* not clean: the peer does not read/);
  }
  for (const ws of greedy) same(await ws.stream.ends.next('a reset'), NGHTTP2_CANCEL, 'code');
  await echoes(staying, MEBIBYTE, 'binary thereafter');
});

await check('a slow reader is not taken for a dead one', async (after) => {
  const server = await serve(after, '--ping', '1', '--pong', '1', '--write', '2');
  const session = await connect(after, server, { settings: { initialWindowSize: 2000 } });
  const ws = await open(after, session, { reads: slowly });
  ws.send(MEBIBYTE.subarray(0, 100_000)); // and then nothing, for as long as it takes to read
  same((await ws.next('the echo')).binary?.length, 100_000, 'length');
});

await check('a WebSocket that falls silent is pinged, closed with 1011, and reset', async (after) => {
  const server = await serve(after, '--ping', '1', '--pong', '1', '--close', '1');
  const session = await connect(after, server);
  const ws = await open(after, session, { autoPong: false });
  const living = await open(after, session);
  same(await ws.next('a ping'), 'ping', 'what comes');
  ws.stream.write = () => true; // nothing goes out any more, the answer to the Close neither
  ws.stream.end = () => ws.stream;
  await says(server, /^closed .* not clean: no pong came in time/);
  await echoes(living, 'still here', 'text on a stream that answers pings');
});

await check('octets now and then are no message: 1001 when it was idle for too long', async (after) => {
  const server = await serve(after, '--idle', '1');
  const session = await connect(after, server);
  const [dripping, living] = [await open(after, session), await open(after, session)];
  const octets = [...frame(1, 'x'.repeat(1000))];
  const drip = setInterval(() => dripping.stream.write(Buffer.of(octets.shift())), 50);
  after(() => clearInterval(drip));
  dripping.stream.on('data', () => clearInterval(drip));
  const closed = dripping.next('the close');
  let seen;
  closed.then((item) => (seen = item));
  while (!seen) {
    await echoes(living, 'still here', 'text meanwhile');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  same(seen, { close: 1001 }, 'close');
});

for (const [what, headers, status, log] of [
  ['a GET of nothing', { ':method': 'GET', ':protocol': undefined, ':path': '/none' }, 404, /^asked/],
  ['a POST to the page', { ':method': 'POST', ':protocol': undefined, ':path': '/' }, 405, /^asked/],
  ['version 8', { 'sec-websocket-version': '8' }, 400, /^refused .*version/],
  ['another protocol', { ':protocol': 'connect-udp' }, 501, /^refused .*not websocket/],
]) {
  await check(`${what} is answered with ${status}`, async (after) => {
    const server = await serve(after);
    const session = await connect(after, server);
    const stream = request(session, headers);
    same((await stream.response)[':status'], status, 'status');
    await says(server, log);
    await echoes(await open(after, session), 'still here', 'text');
  });
}

await check('handshakes that stall, of TLS and of HTTP/2, are cut; a vacant connection, too', async (after) => {
  const server = await serve(after, '--handshake', '1', '--vacant', '2');
  const staying = await open(after, await connect(after, server));
  const started = performance.now();
  const stalled = [
    tls.connect({ port: server.port, host: 'localhost', ca: server.ca, ALPNProtocols: ['h2'] }),
    ...['', Buffer.from([22, 3, 1, 1, 0, 1]), 'GET / HTTP/1.1\r\n\r\n'].map((octets) => {
      const socket = net.connect(server.port, '127.0.0.1');
      socket.write(octets);
      return socket;
    }),
  ];
  const gone = stalled.map((socket) => {
    after(() => socket.destroy());
    return within(new Promise((resolve) => socket.on('error', () => {}).on('close', resolve).resume()), 'a cut', 5);
  });
  const idle = await connect(after, server);
  await Promise.all(gone);
  await within(idle.over, 'the end of the idle connection', 5);
  const seconds = (performance.now() - started) / 1000;
  same(seconds > 1.9 && seconds < 4.5, true, `cut after two seconds or so, not ${seconds}`);
  await echoes(staying, 'still here', 'text');
});

await check('deadlines of half a second, and longer than any clock counts', async (after) => {
  const flags = ['handshake', 'ping', 'pong', 'close', 'write', 'idle', 'lifetime', 'vacant'];
  for (const seconds of ['18446744073709550000', 'never']) {
    const server = await serve(after, ...flags.flatMap((flag) => [`--${flag}`, seconds]));
    const ws = await open(after, await connect(after, server));
    await echoes(ws, 'here', 'text');
    ws.close(1000);
    same(await ws.next('the close'), { close: 1000 }, 'close');
    await echoes(await open(after, await connect(after, server)), 'still here', 'text');
    same(server.stderr, '', 'stderr');
  }
  const session = await connect(after, await serve(after, '--vacant', '0.5'));
  await within(session.over, 'the end of the vacant connection', 5);
});

await check('SIGTERM: 1001 on all streams, GOAWAY, and the end', async (after) => {
  const server = await serve(after);
  const sessions = [await connect(after, server), await connect(after, server)];
  const goaways = sessions.map((session) => new Promise((resolve) => session.on('goaway', resolve)));
  const all = [];
  for (const session of sessions) {
    for (let i = 0; i < 10; i += 1) all.push(await open(after, session));
  }
  server.child.kill('SIGTERM');
  for (const ws of all) {
    same(await ws.next('the close'), { close: 1001 }, 'close');
    same(await ws.stream.ends.next('the end of the stream'), NGHTTP2_NO_ERROR, 'code');
  }
  for (const goaway of goaways) same(await within(goaway, 'GOAWAY'), NGHTTP2_NO_ERROR, 'code of GOAWAY');
  for (const session of sessions) await within(session.over, 'the end of the connection');
  same(await server.exit(), 0, 'exit status');
});

await check('100 connections that come and go leave the memory as it was', async (after) => {
  const server = await serve(after);
  const round = async () => {
    for (let i = 0; i < 20; i += 1) {
      const session = await connect(after, server);
      const ws = await open(after, session);
      await echoes(ws, MEBIBYTE.subarray(0, 100_000), 'binary');
      session.destroy();
      await says(server, /^l(ost|eft) /);
    }
  };
  await round();
  const before = resident(server);
  for (let i = 0; i < 4; i += 1) await round();
  const grown = resident(server) - before;
  same(grown < 4 << 20, true, `memory has grown by ${grown >> 10} KiB`);
});

await load();
end();
