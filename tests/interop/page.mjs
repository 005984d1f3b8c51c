// What the pages share: named checks, waiting that always ends, and open connections.

const WAIT_SECONDS = 10;

function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${WAIT_SECONDS} s for ${what}`)), WAIT_SECONDS * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Tells the program that serves the page. */
export const post = (path, body) => fetch(path, { method: 'POST', body: JSON.stringify(body) });

for (const mishap of ['error', 'unhandledrejection']) {
  addEventListener(mishap, (event) => post('/done', { failed: `the page broke: ${event.message ?? event.reason}` }));
}

let checks = 0;

/** Runs one check, and has it reported. */
export async function check(name, body) {
  const started = performance.now();
  let problem;
  try {
    await body();
  } catch (error) {
    problem = error.message || String(error);
  }
  checks += 1;
  await post('/result', { name, milliseconds: performance.now() - started, problem });
}

/** A string in which equal messages are equal: buffers as [binary 1,2,3]. */
function plain(value) {
  const isBinary = value instanceof ArrayBuffer || ArrayBuffer.isView(value);
  return isBinary ? `[binary ${new Uint8Array(value)}]` : String(value);
}

/** Fails unless `got` and `want` are equal messages. */
export function same(got, want, what) {
  if (plain(got) !== plain(want)) {
    throw new Error(`${what}: got ${plain(got).slice(0, 200)}, expected ${plain(want).slice(0, 200)}`);
  }
}

/** An open WebSocket; `next` hands out what arrives, in order. */
export async function connect(url, protocols) {
  const ws = protocols ? new WebSocket(url, protocols) : new WebSocket(url);
  ws.binaryType = 'arraybuffer';
  const items = [];
  const waiting = [];
  const arrived = (item) => (waiting.length > 0 ? waiting.shift()(item) : items.push(item));
  ws.onmessage = ({ data }) => arrived(data);
  ws.onclose = ({ code, wasClean }) => arrived(`closed ${code} ${wasClean ? 'cleanly' : 'uncleanly'}`);
  ws.next = (what) =>
    items.length > 0
      ? Promise.resolve(items.shift())
      : within(new Promise((resolve) => waiting.push(resolve)), what);
  await within(
    new Promise((resolve, reject) => {
      ws.onopen = resolve;
      ws.onerror = () => reject(new Error('the connection did not open'));
    }),
    'the connection to open',
  );
  return ws;
}

/** That a message comes back as it went, or as `want`. */
export async function echoes(ws, data, what, want = data) {
  ws.send(data);
  same(await ws.next(`the echo of ${what}`), want, what);
}

/** So many octets, in which every value occurs. */
export const bytes = (length) => Uint8Array.from({ length }, (_, i) => (i * 31) & 255);

/** Ends the page. */
export const done = () => post('/done', { checks });
