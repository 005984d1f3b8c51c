// WebSockets over HTTP/2 (RFC 8441): the package in `http2/` judged by Node's
// `http2`, with the frames of `ws` in its streams. A tap on the TCP connection
// reads the frames of HTTP/2 that Node does not show.

import http2 from 'node:http2';
import net from 'node:net';
import {
  begin,
  check,
  echoes,
  end,
  found,
  MEBIBYTE,
  MEBIBYTE_TEXT,
  Program,
  Queue,
  same,
  WebSocket,
  within,
} from './helper.mjs';

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR, PADDING_STRATEGY_MAX } = http2.constants;
const DATA = 0;
const RST_STREAM = 3;
const SETTINGS = 4;
const END_STREAM = 1;
const ACK = 1;
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** Puts the frames (RFC 9113 section 4.1) of the octets that it is given into `frames`. */
function frameReader(frames, preface = '') {
  let rest = Buffer.alloc(0);
  let skip = preface.length;
  return (octets) => {
    rest = Buffer.concat([rest, octets]);
    for (;;) {
      const length = 9 + (rest.length < skip + 9 ? 0 : rest.readUIntBE(skip, 3));
      if (rest.length < skip + length) return;
      const frame = rest.subarray(skip, skip + length);
      frames.push({ type: frame[3], flags: frame[4], stream: frame.readUInt32BE(5), payload: frame.subarray(9) });
      rest = rest.subarray(skip + length);
      skip = 0;
    }
  };
}

/** Passes TCP connections on to `port`, and keeps the frames that each side sends. */
async function tap(after, port) {
  const frames = { client: [], server: [] };
  const proxy = net.createServer({ noDelay: true }, (near) => {
    const far = net.connect({ port, host: '127.0.0.1', noDelay: true });
    near.on('data', frameReader(frames.client, PREFACE));
    far.on('data', frameReader(frames.server));
    for (const [from, to] of [[near, far], [far, near]]) {
      after(() => from.destroy());
      from.on('error', () => to.destroy());
      from.pipe(to);
    }
  });
  after(() => proxy.close());
  await within(new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve)), 'the tap to listen');
  return { port: proxy.address().port, frames };
}

/** How a side has ended a stream, as it is in its frames. */
function endOf(frames, stream) {
  const own = frames.filter((frame) => frame.stream === stream);
  return {
    ended: own.some(({ type, flags }) => type <= 1 && (flags & END_STREAM) !== 0), // DATA, HEADERS
    resets: own.filter(({ type }) => type === RST_STREAM).map(({ payload }) => payload.readUInt32BE()),
  };
}

/** The octets in the DATA frames of a stream. None may be padded. */
function dataOf(frames, stream) {
  return frames.filter((frame) => frame.type === DATA && frame.stream === stream).map(({ payload }) => payload);
}

/** What a side says in its SETTINGS frames, by number. */
function settingsOf(frames) {
  const settings = {};
  for (const { payload } of frames.filter(({ type, flags }) => type === SETTINGS && (flags & ACK) === 0)) {
    for (let at = 0; at < payload.length; at += 6) settings[payload.readUInt16BE(at)] = payload.readUInt32BE(at + 2);
  }
  return settings;
}

/** Header fields without what Node adds under a symbol. */
function fields(headers) {
  return Object.fromEntries(Object.entries(headers));
}

/** One frame of a WebSocket, made by `ws`. */
function frame(opcode, payload, mask = true) {
  const data = Buffer.from(payload);
  return Buffer.concat(WebSocket.Sender.frame(data, { opcode, fin: true, rsv1: false, mask, readOnly: true }));
}

/** A `ws` on an open stream; what arrives is handed out in order by `next`. */
function websocket(after, stream, isServer) {
  const ws = new WebSocket(null, undefined, { autoPong: true, closeTimeout: 10_000 });
  ws._isServer = isServer; // as `ws` itself has it behind a client's upgrade
  const arrived = new Queue();
  ws.on('message', (data, isBinary) => arrived.push(isBinary ? { binary: data } : { text: data.toString() }));
  ws.on('pong', (data) => arrived.push({ pong: data.toString() }));
  ws.on('close', (code) => arrived.push({ close: code }));
  ws.on('error', (error) => arrived.push({ error: error.message }));
  ws.setSocket(stream, Buffer.alloc(0), { allowSynchronousEvents: true, maxPayload: 16 << 20 });
  after(() => ws.terminate());
  ws.next = (what) => arrived.next(what);
  return ws;
}

async function closes(ws, code) {
  ws.close(code);
  same(await ws.next(`the close with ${code}`), { close: code }, 'close');
}

/** Our server, on a free port. */
async function server(after) {
  const program = new Program(after, process.env.HTTP2_PEER, ['serve']);
  const line = await program.line('its address');
  const address = /^listening on http:\/\/127\.0\.0\.1:(\d+)$/.exec(line);
  if (!address) throw new Error(`no address in its first line: ${line}`);
  program.port = Number(address[1]);
  return program;
}

/** A session of Node with our server through a tap, its settings there. */
async function connect(after, port, options = {}) {
  const { port: tapped, frames } = await tap(after, port);
  const session = http2.connect(`http://127.0.0.1:${tapped}`, options);
  after(() => session.destroy());
  session.frames = frames;
  const settings = new Promise((resolve, reject) => session.on('remoteSettings', resolve).on('error', reject));
  await within(settings, 'the settings');
  same(session.remoteSettings.enableConnectProtocol, true, 'what Node makes of the settings');
  return session;
}

/** A request; its response, its octets and its end are handed out by queues. */
function request(session, headers = {}, options = {}) {
  const websocketRequest = {
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/chat',
    'sec-websocket-version': '13',
  };
  const all = Object.entries({ ...websocketRequest, ...headers }).filter(([, value]) => value !== undefined);
  const stream = session.request(Object.fromEntries(all), options);
  stream.responses = new Queue();
  stream.ends = new Queue();
  stream.on('response', (response) => stream.responses.push(response));
  stream.on('error', () => {}); // 'close' follows, with the code
  stream.on('close', () => {
    stream.responses.push({ ':status': `none, but code ${stream.rstCode}` });
    stream.ends.push(stream.rstCode);
  });
  return stream;
}

/** A stream on which our server has accepted. */
async function accepted(session, headers, options) {
  const stream = request(session, headers, options);
  stream.response = await stream.responses.next('the response');
  same(stream.response[':status'], 200, 'status');
  return stream;
}

async function open(after, session, headers) {
  return websocket(after, await accepted(session, headers), false);
}

/** Reads the octets of a stream to its end. */
function octets(stream) {
  return within(stream.toArray().then(Buffer.concat), 'the end of the stream');
}

begin('http2 server, Node');

const stopMain = [];
const main = await server((action) => stopMain.push(action));
process.on('exit', () => stopMain.forEach((action) => action()));

await check('its settings allow an extended CONNECT', async (after) => {
  const session = await connect(after, main.port);
  same(settingsOf(session.frames.server)[8], 1, 'SETTINGS_ENABLE_CONNECT_PROTOCOL');
});

await check('accepts with 200, the subprotocol and nothing of HTTP/1.1', async (after) => {
  const session = await connect(after, main.port);
  const stream = await accepted(session, { 'sec-websocket-protocol': 'superchat, chat' });
  same(fields(stream.response), { ':status': 200, 'sec-websocket-protocol': 'chat' }, 'response');
});

await check('a Host in the place of :authority is accepted', async (after) => {
  const session = await connect(after, main.port);
  const stream = await accepted(session, { host: 'here.example' });
  same([stream.sentHeaders[':authority'], stream.sentHeaders.host], [undefined, 'here.example'], 'what Node sent');
});

await check('selects no subprotocol where none matches, and declines permessage-deflate', async (after) => {
  const session = await connect(after, main.port);
  const stream = await accepted(session, {
    'sec-websocket-protocol': 'unknown',
    'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
    origin: 'http://example.com',
  });
  same(fields(stream.response), { ':status': 200 }, 'response');
  await echoes(websocket(after, stream, false), 'compressible '.repeat(1000), 'text after the declined offer');
});

await check('lengths around every length encoding, text and binary', async (after) => {
  const session = await connect(after, main.port);
  const ws = await open(after, session);
  for (const length of [0, 1, 125, 126, 127, 65535, 65536, 65537]) {
    await echoes(ws, 'x'.repeat(length), `text of ${length} bytes`);
    await echoes(ws, MEBIBYTE.subarray(0, length), `binary of ${length} bytes`);
  }
});

await check('1 MiB of text and of binary', async (after) => {
  const session = await connect(after, main.port);
  const ws = await open(after, session);
  await echoes(ws, MEBIBYTE_TEXT, 'text of 1 MiB');
  await echoes(ws, MEBIBYTE, 'binary of 1 MiB');
  const sizes = dataOf(session.frames.server, 1).map(({ length }) => length);
  same(sizes.every((size) => size <= 16384), true, 'no DATA frame longer than Node allows');
});

await check('a message split over a DATA frame for each octet', async (after) => {
  const session = await connect(after, main.port);
  const stream = await accepted(session);
  const ws = websocket(after, stream, false);
  const text = 'Grüße, κόσμε, 世界 \u{1f600}'.repeat(8);
  for (const octet of frame(1, text)) {
    await within(new Promise((resolve) => stream.write(Buffer.of(octet), resolve)), 'an octet to be written');
  }
  same(await ws.next('the echo'), { text }, 'text');
  const sizes = dataOf(session.frames.client, 1).map(({ length }) => length);
  same(sizes, Array(8 + Buffer.byteLength(text)).fill(1), 'sizes of the DATA frames');
});

await check('many messages in one DATA frame', async (after) => {
  const session = await connect(after, main.port);
  const stream = await accepted(session);
  const ws = websocket(after, stream, false);
  const sent = Buffer.concat(Array.from({ length: 500 }, (_, i) => frame(1, `message ${i}`)));
  stream.write(sent);
  for (let i = 0; i < 500; i += 1) same(await ws.next(`echo ${i}`), { text: `message ${i}` }, 'echo');
  same(dataOf(session.frames.client, 1).map(({ length }) => length), [sent.length], 'sizes of the DATA frames');
});

await check('padded DATA frames', async (after) => {
  const session = await connect(after, main.port, { paddingStrategy: PADDING_STRATEGY_MAX });
  const ws = await open(after, session);
  for (let i = 0; i < 3; i += 1) await echoes(ws, MEBIBYTE, `padded binary ${i}`);
  const padded = session.frames.client.filter(({ type, flags }) => type === DATA && (flags & 8) !== 0);
  same(padded.length > 0, true, 'there was padding');
});

await check('never more than a small window has room for', async (after) => {
  const session = await connect(after, main.port, { settings: { initialWindowSize: 1000 } });
  const ws = await open(after, session);
  await echoes(ws, MEBIBYTE.subarray(0, 100_000), 'binary of 100000 bytes');
  const sizes = dataOf(session.frames.server, 1).map(({ length }) => length);
  same(sizes.every((size) => size <= 1000), true, `DATA frames of ${Math.max(...sizes)} octets at most`);
});

await check('a stream that is not read holds up no other of its connection', async (after) => {
  const session = await connect(after, main.port);
  const held = await open(after, session);
  held.pause();
  held.send(MEBIBYTE);
  const other = await open(after, session);
  for (let i = 0; i < 10; i += 1) await echoes(other, MEBIBYTE.subarray(0, 65536), `binary ${i} past the held one`);
  held.resume();
  same(await held.next('the echo that was held'), { binary: MEBIBYTE }, 'binary');
});

await check('50 WebSockets on one connection get their own echoes', async (after) => {
  const session = await connect(after, main.port);
  const all = await Promise.all(Array.from({ length: 50 }, () => open(after, session)));
  all.forEach((ws, i) => ws.send(`from ${i}`));
  for (const [i, ws] of all.entries()) same(await ws.next(`echo ${i}`), { text: `from ${i}` }, 'echo');
});

await check('pings are answered with the same payload, between fragments too', async (after) => {
  const session = await connect(after, main.port);
  const ws = await open(after, session);
  for (const payload of ['', 'are you there?', 'x'.repeat(125)]) {
    ws.ping(payload);
    same(await ws.next('the pong'), { pong: payload }, 'pong');
  }
  ws.send('before ', { fin: false });
  ws.ping('between');
  same(await ws.next('the pong'), { pong: 'between' }, 'answer to the ping');
  ws.send('after', { fin: true });
  same(await ws.next('the echo'), { text: 'before after' }, 'message around the ping');
});

await check('a clean close: both halves end, nothing is reset', async (after) => {
  const program = await server(after);
  const session = await connect(after, program.port);
  const ws = await open(after, session);
  await echoes(ws, 'last words', 'text');
  await closes(ws, 4001);
  same(await program.line('the end'), 'closed clean, sent 4001, received 4001', 'how our server saw it');
  const gone = new Promise((resolve) => session.on('close', resolve));
  session.close();
  await within(gone, 'the session to close');
  for (const side of ['client', 'server']) {
    same(endOf(session.frames[side], 1), { ended: true, resets: [] }, `end of the ${side}'s half`);
  }
});

await check('END_STREAM comes right after the answer to a Close, before the client ends its half', async (after) => {
  const program = await server(after);
  const session = await connect(after, program.port);
  const stream = await accepted(session);
  stream.write(frame(8, [0x03, 0xe8]));
  same(await octets(stream), frame(8, [0x03, 0xe8], false), 'octets');
  same(endOf(session.frames.server, 1), { ended: true, resets: [] }, "end of the server's half");
  same(endOf(session.frames.client, 1), { ended: false, resets: [] }, "the client's half is open");
  stream.end();
  same(await stream.ends.next('the stream to close'), NGHTTP2_NO_ERROR, 'code');
  same(await program.line('the end'), 'closed clean, sent 1000, received 1000', 'how our server saw it');
});

await check('a client that closes and never ends its half is reset with CANCEL', async (after) => {
  const session = await connect(after, main.port);
  const stream = await accepted(session);
  stream.write(frame(8, [0x03, 0xe8]));
  same(await octets(stream), frame(8, [0x03, 0xe8], false), 'octets');
  same(await stream.ends.next('the stream to be reset'), NGHTTP2_CANCEL, 'code');
  await echoes(await open(after, session), 'still here', 'text on another stream');
});

for (const [what, sent, code, rule] of [
  ['an unmasked frame', frame(1, 'no mask', false), 1002, /mask/],
  ['a reserved opcode', frame(3, ''), 1002, /opcode/],
  ['text that is not UTF-8', frame(1, [0x68, 0xff, 0x69]), 1007, /UTF-8/],
]) {
  await check(`${what} is answered with close ${code}, then END_STREAM`, async (after) => {
    const program = await server(after);
    const session = await connect(after, program.port);
    const stream = await accepted(session);
    stream.write(sent);
    const close = Buffer.alloc(2);
    close.writeUInt16BE(code);
    same(await octets(stream), frame(8, close, false), 'octets');
    same(endOf(session.frames.server, 1), { ended: true, resets: [] }, "end of the server's half");
    stream.end();
    const line = await program.line('the end');
    found(/^failed: /, line, 'how our server saw it');
    found(rule, line, 'how our server saw it');
  });
}

await check('a stream that the client resets ends alone', async (after) => {
  const program = await server(after);
  const session = await connect(after, program.port);
  const staying = await open(after, session);
  const abort = new AbortController();
  const leaving = await accepted(session, {}, { signal: abort.signal });
  leaving.write(frame(1, 'a whole message').subarray(0, 10));
  abort.abort();
  found(/^failed: stream error received: /, await program.line('the end'), 'how our server saw it');
  same(endOf(session.frames.client, 3), { ended: false, resets: [NGHTTP2_CANCEL] }, "end of the client's half");
  await echoes(staying, 'still here', 'text on the other stream');
});

await check('END_STREAM without a Close is an end that is not clean, and gets one', async (after) => {
  const program = await server(after);
  const session = await connect(after, program.port);
  const stream = await accepted(session);
  stream.end(frame(1, 'hello'));
  same(await octets(stream), frame(1, 'hello', false), 'octets');
  found(/^failed: .*ended/, await program.line('the end'), 'how our server saw it');
  same(endOf(session.frames.server, 1), { ended: true, resets: [] }, "end of the server's half");
});

for (const [what, headers, status, named, rule, options] of [
  ['version 8', { 'sec-websocket-version': '8' }, 400, { 'sec-websocket-version': '13' }, /version is not 13/],
  ['no version', { 'sec-websocket-version': undefined }, 400, { 'sec-websocket-version': '13' }, /is missing/],
  ['a :protocol that is not websocket', { ':protocol': 'connect-udp' }, 501, {}, /not websocket/],
  ['a :path that is none', { ':path': '*' }, 400, {}, /target/],
  ['a :scheme that is not HTTP', { ':scheme': 'ftp' }, 400, {}, /target/],
  ['a Host other than :authority', { ':authority': 'here.example', host: 'elsewhere.example' }, 400, {}, /Host/],
  ['a body', { 'content-length': '1' }, 400, {}, /body/],
  ['a malformed subprotocol', { 'sec-websocket-protocol': 'a b' }, 400, {}, /Sec-WebSocket-Protocol/],
  [
    'a CONNECT to a host',
    { ':protocol': undefined, ':path': undefined, ':authority': 'example.com:443' },
    400,
    { 'sec-websocket-version': '13' },
    /not a request to open a WebSocket/,
  ],
  ['a GET', { ':method': 'GET', ':protocol': undefined }, 405, { allow: 'CONNECT' }, /method/, { endStream: true }],
]) {
  await check(`${what} is refused with ${status}`, async (after) => {
    const program = await server(after);
    const session = await connect(after, program.port);
    const stream = request(session, headers, options);
    const response = await stream.responses.next('the response');
    same(fields(response), { ':status': status, ...named }, 'response');
    same(await octets(stream), Buffer.alloc(0), 'body');
    same(endOf(session.frames.server, 1).ended, true, 'the response ends the stream');
    const line = await program.line('the refusal');
    found(/^refused: /, line, 'how our server saw it');
    found(rule, line, 'how our server saw it');
    await echoes(await open(after, session), 'still here', 'text on another stream');
  });
}

await check('an empty :path is malformed: the stream is reset with PROTOCOL_ERROR', async (after) => {
  const session = await connect(after, main.port);
  const stream = request(session, { ':path': '' });
  same(await stream.ends.next('the stream to be reset'), NGHTTP2_PROTOCOL_ERROR, 'code');
  await echoes(await open(after, session), 'still here', 'text on another stream');
});

/** A server of Node's that does `behave(stream, headers)` on each request; see `tap` for `frames`. */
async function nodeServer(after, behave, settings = { enableConnectProtocol: true }) {
  const requests = [];
  const sessions = new Queue();
  const server = http2.createServer({ settings });
  server.on('session', (session) => {
    after(() => session.destroy());
    session.on('error', () => {});
    session.on('close', () => sessions.push('closed'));
  });
  server.on('stream', (stream, headers) => {
    requests.push(fields(headers));
    stream.on('error', () => {});
    behave(stream, headers);
  });
  after(() => server.close());
  await within(new Promise((resolve) => server.listen(0, '127.0.0.1', resolve)), 'the server to listen');
  const { port, frames } = await tap(after, server.address().port);
  return { authority: `127.0.0.1:${port}`, frames, requests, sessions };
}

/** Our client with that server, to its end, and that of the session. */
async function talk(after, { authority, sessions }) {
  const outcome = await new Program(after, process.env.HTTP2_PEER, ['connect', `ws://${authority}/chat?x=1`]).finish();
  await sessions.next('the session to close');
  return outcome;
}

/** Accepts, with `change` made to each message before it is sent back. */
function echoWith(after, change = (data) => data) {
  return (stream) => {
    stream.respond({ ':status': 200, 'sec-websocket-protocol': 'chat' });
    const ws = websocket(after, stream, true);
    ws.on('message', (data, isBinary) => ws.send(change(data), { binary: isBinary }));
  };
}

begin('http2 client, Node');

await check('its request, and its subprotocol accepted', async (after) => {
  const server = await nodeServer(after, echoWith(after));
  const { status, lines } = await talk(after, server);
  same({ status, lines }, { status: 0, lines: ['accepted, subprotocol Some("chat")', 'echoed and closed'] }, 'outcome');
  const request = {
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':scheme': 'http',
    ':path': '/chat?x=1',
    ':authority': server.authority,
    'sec-websocket-version': '13',
    'sec-websocket-protocol': 'chat',
  };
  same(server.requests, [request], 'requests');
});

await check('its messages and its ping arrive whole, and its close is clean', async (after) => {
  const arrived = [];
  const ends = new Queue();
  const server = await nodeServer(after, (stream) => {
    stream.respond({ ':status': 200 });
    const ws = websocket(after, stream, true);
    ws.on('message', (data, isBinary) => {
      arrived.push([isBinary, data.length]);
      ws.send(data, { binary: isBinary });
    });
    ws.on('ping', (data) => arrived.push(data.toString()));
    stream.on('close', () => ends.push(stream.rstCode));
  });
  const { status, lines } = await talk(after, server);
  same({ status, lines }, { status: 0, lines: ['accepted, subprotocol None', 'echoed and closed'] }, 'outcome');
  const lengths = [0, 1, 125, 126, 65536, 1 << 20];
  same(arrived, [...lengths.flatMap((length) => [[false, length], [true, length]]), 'are you there?'], 'what arrived');
  same(await ends.next('the end of the stream'), NGHTTP2_NO_ERROR, 'code of the stream');
  for (const side of ['client', 'server']) {
    same(endOf(server.frames[side], 1), { ended: true, resets: [] }, `end of the ${side}'s half`);
  }
  const [close] = dataOf(server.frames.client, 1).filter(({ length }) => length > 0).slice(-1);
  same([close[0], close[1], close.length], [0x88, 0x82, 8], 'the last frame is a masked Close with a code');
});

await check('a response in two parts, 103 before 200', async (after) => {
  const accept = echoWith(after);
  const server = await nodeServer(after, (stream) => {
    stream.additionalHeaders({ ':status': 103, link: '</style.css>; rel=preload' });
    accept(stream);
  });
  same((await talk(after, server)).status, 0, 'exit status');
});

await check('a server with small windows gets no more than they have room for', async (after) => {
  const server = await nodeServer(after, echoWith(after), { enableConnectProtocol: true, initialWindowSize: 1000 });
  same((await talk(after, server)).status, 0, 'exit status');
  const sizes = dataOf(server.frames.client, 1).map(({ length }) => length);
  same(sizes.every((size) => size <= 1000), true, `DATA frames of ${Math.max(...sizes)} octets at most`);
});

await check('a server without the setting is asked nothing: exit 3', async (after) => {
  const server = await nodeServer(after, echoWith(after), {});
  const { status, lines, stderr } = await talk(after, server);
  same({ status, lines, requests: server.requests }, { status: 3, lines: [], requests: [] }, 'outcome');
  found(/extended CONNECT/, stderr, 'stderr');
});

await check('a rejection with 403 is shown: exit 1', async (after) => {
  const server = await nodeServer(after, (stream) => {
    stream.respond({ ':status': 403, 'content-type': 'text/plain' });
    stream.end('not you');
  });
  const { status, lines, stderr } = await talk(after, server);
  same({ status, lines }, { status: 1, lines: [] }, 'outcome');
  found(/403/, stderr, 'stderr');
});

await check('a subprotocol that was not offered is reset with CANCEL: exit 1', async (after) => {
  const server = await nodeServer(after, (stream) => {
    stream.respond({ ':status': 200, 'sec-websocket-protocol': 'other' });
  });
  const { status, stderr } = await talk(after, server);
  same(status, 1, 'exit status');
  found(/subprotocol/, stderr, 'stderr');
  same(endOf(server.frames.client, 1), { ended: false, resets: [NGHTTP2_CANCEL] }, "end of the client's half");
});

await check('a changed echo is noticed: exit 1, the stream reset with CANCEL', async (after) => {
  const change = (data) => (data.length === 126 ? Buffer.alloc(126, 'y') : data);
  const server = await nodeServer(after, echoWith(after, change));
  const { status, stderr } = await talk(after, server);
  same(status, 1, 'exit status');
  found(/what was sent/, stderr, 'stderr');
  same(endOf(server.frames.client, 1), { ended: false, resets: [NGHTTP2_CANCEL] }, "end of the client's half");
});

await check('a masked frame is answered with close 1002, then END_STREAM: exit 1', async (after) => {
  const server = await nodeServer(after, (stream) => {
    stream.respond({ ':status': 200 });
    stream.write(frame(1, 'masked'));
    stream.resume().on('end', () => stream.end());
  });
  const { status, stderr } = await talk(after, server);
  same(status, 1, 'exit status');
  found(/mask/, stderr, 'stderr');
  const last = dataOf(server.frames.client, 1).filter(({ length }) => length > 0).at(-1);
  same([last[0], last[1], ((last[6] ^ last[2]) << 8) | (last[7] ^ last[3])], [0x88, 0x82, 1002], 'the Close');
  same(endOf(server.frames.client, 1), { ended: true, resets: [] }, "end of the client's half");
});

for (const [what, finish, rule] of [
  ['resets', (stream) => stream.destroy(new Error('on purpose')), /internal error/],
  ['ends without a Close', (stream) => stream.end(), /ended/],
]) {
  await check(`a stream that the server ${what}: exit 1`, async (after) => {
    const server = await nodeServer(after, (stream) => {
      stream.respond({ ':status': 200 });
      stream.once('data', () => finish(stream)).resume();
    });
    const { status, stderr } = await talk(after, server);
    same(status, 1, 'exit status');
    found(rule, stderr, 'stderr');
  });
}

end();
