// What the Node parts share: named checks, waiting that always ends, and the
// two programs under test. `run` sets the environment variables read here.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import http from 'node:http';
import { createRequire } from 'node:module';
import { isDeepStrictEqual, inspect } from 'node:util';

export const interopDir = process.env.INTEROP_DIR;
export const { WebSocket, WebSocketServer } = createRequire(`${interopDir}/`)('ws');

const WAIT_SECONDS = 20;
const CHECK_SECONDS = 60;

/** The result of `promise`, or an error naming `what` was waited for. */
export function within(promise, what, seconds = WAIT_SECONDS) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${seconds} s for ${what}`)), seconds * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Fails unless `got` equals `want`; long values are shortened in the message. */
export function same(got, want, what) {
  if (isDeepStrictEqual(got, want)) return;
  const show = (value) =>
    inspect(value, { breakLength: Infinity, depth: 5, maxArrayLength: 20, maxStringLength: 200 });
  throw new Error(`${what}: got ${show(got)}, expected ${show(want)}`);
}

/** Fails unless `pattern` is found in `text`. */
export function found(pattern, text, what) {
  if (!pattern.test(text)) throw new Error(`${what}: no ${pattern} in ${inspect(text.slice(0, 400))}`);
}

/** Things that arrive, in order, each handed out once. */
export class Queue {
  #items = [];
  #waiting = [];

  push(item) {
    if (this.#waiting.length > 0) this.#waiting.shift()(item);
    else this.#items.push(item);
  }

  next(what, seconds) {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift());
    return within(new Promise((resolve) => this.#waiting.push(resolve)), what, seconds);
  }
}

let part;
let failures = 0;
let programs = []; // those that the running check has started

/** Names this part; its checks follow. */
export function begin(name) {
  part = name;
}

/** Ends this part. `run` takes any other exit status than 0 and 3 for a crash. */
export function end() {
  process.exit(failures > 0 ? 3 : 0);
}

/** Prints one line for one check, and the reason where there is a `problem`. */
export function report(name, milliseconds, problem) {
  if (problem === undefined) {
    console.log(`ok    ${part}: ${name} (${Math.round(milliseconds)} ms)`);
  } else {
    failures += 1;
    console.log(`FAIL  ${part}: ${name}: ${problem.replaceAll('\n', ' | ')}`);
  }
}

/**
 * Runs one check, which may take so many `seconds`. `body` gets `after`, which
 * registers what to undo when the check has ended, well or not.
 */
export async function check(name, body, seconds = CHECK_SECONDS) {
  const started = performance.now();
  const undo = [];
  let problem;
  programs = [];
  try {
    await within(body((action) => undo.push(action)), 'the check to end', seconds);
  } catch (error) {
    problem = error.message || String(error);
    for (const { stderr } of programs) if (stderr) problem += ` [stderr: ${stderr.slice(-400).trim()}]`;
  }
  for (const action of undo.reverse()) action();
  report(name, performance.now() - started, problem);
}

/** A child process: its stdout line by line, its stderr, its exit status. */
export class Program {
  #lines = new Queue();
  #status = new Queue();
  #rest = '';
  stderr = '';

  constructor(after, path, args) {
    this.child = spawn(path, args, { stdio: 'pipe' });
    after(() => this.child.kill('SIGKILL'));
    programs.push(this);
    this.child.stdin.on('error', () => {}); // it may exit with input unread
    this.child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop();
      for (const line of lines) this.#lines.push({ line });
    });
    this.child.stderr.setEncoding('utf8').on('data', (text) => (this.stderr += text));
    this.child.on('error', (error) => this.#lines.push({ ended: error.message }));
    this.child.on('close', (code, signal) => {
      if (this.#rest !== '') this.#lines.push({ line: this.#rest });
      this.#lines.push({ ended: `exit ${code ?? signal}` });
      this.#status.push(code ?? signal);
    });
  }

  /** The next line that it prints. */
  async line(what) {
    const { line, ended } = await this.#lines.next(`the program to print ${what}`);
    if (ended !== undefined) throw new Error(`${ended} instead of printing ${what}`);
    return line;
  }

  /** Its next `count` lines. */
  async lines(count, what) {
    const lines = [];
    while (lines.length < count) lines.push(await this.line(`${what} ${lines.length + 1} of ${count}`));
    return lines;
  }

  /** Its exit status: a number, or the name of the signal that ended it. */
  exit() {
    return this.#status.next('the program to exit');
  }

  write(text) {
    this.child.stdin.write(text);
  }

  /** Ends its input with `input`; its exit status and what else it printed. */
  async finish(input = '') {
    this.child.stdin.end(input);
    const status = await this.exit();
    const lines = [];
    for (;;) {
      const { line } = await this.#lines.next('the end of stdout');
      if (line === undefined) return { status, lines, stderr: this.stderr };
      lines.push(line);
    }
  }
}

/** An echo server on a free port, started and listening; `url` is its address. */
export async function echoServer(after, ...args) {
  const program = new Program(after, process.env.ECHO_SERVER, ['--listen', '127.0.0.1:0', ...args]);
  const line = await program.line('its address');
  const address = /^listening on (ws:\/\/127\.0\.0\.1:\d+)\b/.exec(line);
  if (!address) throw new Error(`no address in its first line: ${inspect(line)}`);
  program.url = address[1];
  return program;
}

/** The command line client, started with `url` and `args`. */
export function client(after, url, ...args) {
  return new Program(after, process.env.CLIENT, [url, ...args]);
}

/** An open connection of a `ws` client to `url`; what arrives is handed out in order by `next`. */
export async function connect(after, url, protocols = [], options = {}) {
  const ws = new WebSocket(url, protocols, options);
  after(() => ws.terminate());
  const arrived = new Queue();
  ws.on('message', (data, isBinary) => arrived.push(isBinary ? { binary: data } : { text: data.toString() }));
  ws.on('pong', (data) => arrived.push({ pong: data.toString() }));
  ws.on('upgrade', (response) => (ws.response = response));
  ws.on('close', (code) => arrived.push({ close: code }));
  await within(
    new Promise((resolve, reject) => {
      ws.on('open', resolve);
      ws.on('error', (error) => {
        reject(error);
        arrived.push({ error: error.message });
      });
    }),
    'the connection to open',
  );
  ws.next = (what) => arrived.next(what);
  return ws;
}

/**
 * A `ws` server on a free port that does `behave(ws, request)` on each
 * connection. `closed` hands out how each one was closed.
 */
export async function serve(after, behave, options = {}) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  after(() => {
    for (const ws of server.clients) ws.terminate();
    server.close();
  });
  const closed = new Queue();
  server.on('connection', (ws, request) => {
    ws.on('close', (code, reason) => closed.push({ code, reason: reason.toString() }));
    ws.on('error', (error) => closed.push({ error: error.message }));
    behave(ws, request);
  });
  await within(new Promise((resolve) => server.on('listening', resolve)), 'the server to listen');
  return { url: `ws://127.0.0.1:${server.address().port}/`, server, closed };
}

/** An HTTP server that does `upgrade(request, socket)` instead of an upgrade. */
export async function serveByHand(after, upgrade) {
  const server = http.createServer((_, response) => response.writeHead(500).end('no upgrade'));
  server.on('upgrade', (request, socket) => {
    after(() => socket.destroy());
    socket.on('error', () => {});
    upgrade(request, socket);
  });
  after(() => server.close());
  await within(new Promise((resolve) => server.listen(0, '127.0.0.1', resolve)), 'the server to listen');
  return `ws://127.0.0.1:${server.address().port}/`;
}

/** A good answer to the upgrade `request`, with `fields` in it. */
export function goodAnswer(request, fields = '') {
  const accept = createHash('sha1')
    .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  return (
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${accept}\r\n${fields}\r\n`
  );
}

/** That a message comes back as it went, on a connection whose `next` gives what arrived. */
export async function echoes(ws, data, what) {
  ws.send(data);
  const want = typeof data === 'string' ? { text: data } : { binary: data };
  same(await ws.next(`the echo of ${what}`), want, what);
}

/** 1 MiB of text with characters of one to four bytes, on one line. */
export const MEBIBYTE_TEXT = 'a\u00e9\u20ac\u{1f600}xxxxxx'.repeat(65536);

/** 1 MiB in which every byte value occurs. */
export const MEBIBYTE = Buffer.alloc(1 << 20).map((_, i) => (i * 31) & 255);
