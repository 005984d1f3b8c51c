// A client of HTTP/2 by Node, with the frames of `ws` in its streams.

import http2 from 'node:http2';
import { Duplex } from 'node:stream';
import { Queue, same, WebSocket, within } from './helper.mjs';

/** A connection of HTTP/2, its settings there. */
export async function connect(after, server, options = {}) {
  const session = http2.connect(`https://localhost:${server.port}`, { ca: server.ca, ...options });
  after(() => session.destroy());
  session.on('error', () => {});
  session.over = new Promise((resolve) => session.on('close', resolve));
  const settings = new Promise((resolve, reject) => {
    session.on('remoteSettings', resolve);
    session.on('close', () => reject(new Error('the connection ended before its settings')));
  });
  await within(settings, 'the settings');
  same(session.remoteSettings.enableConnectProtocol, true, 'SETTINGS_ENABLE_CONNECT_PROTOCOL');
  return session;
}

/** A stream by extended CONNECT, or by what `headers` change; `ends` hands out its code when it is closed. */
export function request(session, headers = {}, options = {}) {
  const all = {
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/echo',
    'sec-websocket-version': '13',
    ...headers,
  };
  const known = Object.entries(all).filter(([, value]) => value !== undefined);
  const stream = session.request(Object.fromEntries(known), options);
  stream.ends = new Queue();
  stream.on('error', () => {}); // 'close' follows, with the code
  stream.on('close', () => stream.ends.push(stream.rstCode));
  stream.response = within(
    new Promise((resolve, reject) => {
      stream.on('response', resolve);
      stream.on('close', () => reject(new Error(`no response, but code ${stream.rstCode}`)));
    }),
    'a response',
  );
  return stream;
}

/** A stream on which the server has accepted. */
export async function accepted(session, options) {
  const stream = request(session, {}, options);
  same((await stream.response)[':status'], 200, 'status');
  return stream;
}

/** A `ws` on a new stream; what arrives is handed out in order by `next`. */
export async function open(after, session, { autoPong = true, reads = (stream) => stream } = {}) {
  const stream = await accepted(session);
  const ws = new WebSocket(null, undefined, { autoPong, closeTimeout: 10_000 });
  ws._isServer = false; // as `ws` itself has it behind a client's upgrade
  const arrived = new Queue();
  ws.on('message', (data, isBinary) => arrived.push(isBinary ? { binary: data } : { text: data.toString() }));
  ws.on('ping', () => autoPong || arrived.push('ping'));
  ws.on('close', (code) => arrived.push({ close: code }));
  ws.on('error', () => {});
  ws.setSocket(reads(stream), Buffer.alloc(0), { allowSynchronousEvents: true, maxPayload: 16 << 20 });
  after(() => ws.terminate());
  return Object.assign(ws, { stream, next: (what) => arrived.next(what) });
}

/** A stream of which 2000 octets are read at a time, five times a second. */
export function slowly(stream) {
  const events = new Queue();
  for (const event of ['readable', 'end', 'close']) stream.on(event, () => events.push(event));
  async function* pieces() {
    while (!stream.readableEnded && !stream.destroyed) {
      const octets = stream.read(2000) ?? stream.read();
      if (octets) yield octets;
      else await events.next('octets, or the end');
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  return Duplex.from({ readable: pieces, writable: stream });
}

/** One masked frame of a WebSocket, made by `ws`. */
export function frame(opcode, payload) {
  const data = Buffer.from(payload);
  return Buffer.concat(WebSocket.Sender.frame(data, { opcode, fin: true, rsv1: false, mask: true, readOnly: true }));
}
