// The program in examples/tokio_echo, and bare sockets to its doors.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';

import { found, Program, within } from './helper.mjs';

/** The program, listening; `doors` has the URL of each of its doors. */
export async function start(after, { hyper = 0, raw = 0 } = {}, ...args) {
  const listen = ['--listen', `127.0.0.1:${hyper}`, '--raw', `127.0.0.1:${raw}`];
  const program = new Program(after, `${process.env.PROGRAMS}/tokio_echo`, [...listen, ...args]);
  program.doors = {};
  for (const door of ['hyper', 'raw']) {
    const line = await program.line('an address');
    const address = /^listening on (ws:\/\/127\.0\.0\.1:\d+\S*) /.exec(line);
    if (!address) throw new Error(`no address in ${line}`);
    program.doors[door] = address[1];
  }
  return program;
}

/** Octets of memory that a program has resident, now (`VmRSS`) or at most so far (`VmHWM`). */
export function resident(program, which) {
  const status = readFileSync(`/proc/${program.child.pid}/status`, 'utf8');
  const [, kibibytes] = new RegExp(`^${which}:\\s+(\\d+) kB$`, 'm').exec(status);
  return kibibytes * 1024;
}

/** A client's frame, masked with zeros. */
export function frame(first, payload = Buffer.alloc(0)) {
  const { length } = payload;
  const size = length < 126 ? [0x80 | length] : [0xfe, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([first, ...size, 0, 0, 0, 0]), payload]);
}

export function request(url) {
  const { host, pathname } = new URL(url);
  return (
    `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'
  );
}

/** A bare socket to a door; `heard` is all that came, `until(pattern)` waits for it, `closed` for the end. */
export async function bare(after, url) {
  const { hostname, port } = new URL(url);
  const socket = net.connect({ host: hostname, port, allowHalfOpen: true });
  after(() => socket.destroy());
  socket.on('error', () => {});
  let wake = () => {};
  socket.heard = Buffer.alloc(0);
  socket.on('data', (data) => {
    socket.heard = Buffer.concat([socket.heard, data]);
    wake();
  });
  socket.isOver = false;
  for (const event of ['end', 'close']) {
    socket.on(event, () => {
      socket.isOver = true;
      wake();
    });
  }
  socket.until = (is, what, seconds) => {
    const waiting = new Promise((resolve, reject) => {
      wake = () => {
        if (is(socket.heard)) resolve();
        else if (socket.isOver) reject(new Error(`the stream ended before ${what}`));
      };
      wake();
    });
    return within(waiting, what, seconds);
  };
  socket.over = (what, seconds) =>
    within(
      new Promise((resolve) => {
        wake = () => socket.isOver && resolve();
        wake();
      }),
      what,
      seconds,
    );
  await within(once(socket, 'connect'), 'the socket to connect');
  return socket;
}

/** A bare socket with an open WebSocket; `heard` begins behind the response. */
export async function opened(after, url) {
  const socket = await bare(after, url);
  socket.write(request(url));
  await socket.until((heard) => heard.includes('\r\n\r\n'), 'the response');
  found(/^HTTP\/1\.1 101 /, socket.heard.toString('latin1'), 'status');
  socket.heard = socket.heard.subarray(socket.heard.indexOf('\r\n\r\n') + 4);
  return socket;
}
