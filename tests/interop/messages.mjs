// Random messages and what is agreed to compress them, for Node and for the browser: the same for the same seed.

/** Numbers from 0 to below 1, in a function that gives the next one (mulberry32). */
export function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A number from 0 to below `bound`. */
export const below = (next, bound) => Math.floor(next() * bound);

const WORDS = 'octet frame window message server client context Größe κόσμε 世界 \u{1f600} { } " \\ / ,'.split(' ');
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

function words(next, length) {
  let text = '';
  while (text.length < length) text += `${WORDS[below(next, WORDS.length)]} `;
  return text;
}

function json(next, entries) {
  const entry = (_, id) => ({ id, name: words(next, 12), value: next(), is_set: next() < 0.5, tags: [words(next, 4)] });
  return JSON.stringify(Array.from({ length: entries }, entry));
}

/** Text with which a compressor can do little, without what was there before. */
export const noise = (next, length) => Array.from({ length }, () => LETTERS[below(next, LETTERS.length)]).join('');

/** Octets with which a compressor can do nothing, without what was there before. */
const octets = (next, length) => Uint8Array.from({ length }, () => below(next, 256));

const encode = (text) => new TextEncoder().encode(text);

/** What is random about a message: text on one line, or octets. */
function message(next, earlier) {
  const kind = next();
  if (kind < 0.06) return next() < 0.5 ? '' : new Uint8Array();
  if (kind < 0.12) return next() < 0.5 ? noise(next, 1) : octets(next, 1);
  if (kind < 0.4) return json(next, below(next, 20));
  if (kind < 0.55) return words(next, below(next, 2000));
  if (kind < 0.65) return encode(words(next, below(next, 2000)));
  if (kind < 0.8) return octets(next, below(next, 2000));
  if (kind < 0.85) return noise(next, below(next, 500));
  if (kind < 0.95 && earlier.length > 0) return earlier[below(next, earlier.length)];
  if (kind < 0.98) return encode(json(next, below(next, 100)));
  return words(next, below(next, 60_000));
}

/** So many messages; where it is to be, one of them is of 1 MiB. */
export function messages(seed, count, hasLarge) {
  const next = random(seed);
  const all = [];
  while (all.length < count) all.push(message(next, all.slice(-8)));
  if (hasLarge) all[count >> 1] = octets(next, 1 << 20).map((octet, at) => (at % 3 > 0 ? octet & 1 : octet));
  return all;
}

/** Cuts them into lots that are safe to be sent whole before any of their echoes is read. */
export function* lots(all) {
  let lot = [];
  let size = 0;
  for (const each of all) {
    if (lot.length > 0 && (lot.length === 64 || size + each.length > 128 << 10)) {
      yield lot;
      [lot, size] = [[], 0];
    }
    lot.push(each);
    size += each.length;
  }
  yield lot;
}

/**
 * 14 agreements, between which there are: each window of 9 to 15 bits, of the server's and of the client's compressor,
 * asked for by the peer and by us; and with both kinds of our memory, each of them with its context taken over and not.
 */
export const agreements = Array.from({ length: 14 }, (_, i) => ({
  seed: i + 1,
  asks: i < 7 ? 'the peer' : 'we',
  isShared: i % 2 === 1,
  server: { bits: 9 + (i % 7), takeover: (i >> 1) % 2 === 0 },
  client: { bits: 15 - (i % 7), takeover: (i >> 2) % 2 === 0 },
  /** Whether small messages too are compressed by a peer that has a threshold; if not, by us. */
  isEager: i % 4 < 2,
  hasLarge: i % 5 === 0,
  /** 10,010 messages in all. */
  count: 715,
}));

export function describe({ asks, isShared, server, client, count }) {
  const direction = ({ bits, takeover }) => `${bits} bits${takeover ? '' : ' anew'}`;
  const memory = isShared ? 'shared' : 'dedicated';
  return `${count} messages, server ${direction(server)}, client ${direction(client)}, as ${asks} asked; ${memory}`;
}

/** The flags with which our program asks for an agreement, or only takes part in it; `ours` is its side. */
export function flags({ asks, isShared, isEager, server, client }, ours) {
  const [own, theirs] = ours === 'server' ? [server, client] : [client, server];
  const others = [...(isShared ? ['--shared'] : []), ...(isEager ? [] : ['--threshold', '0'])];
  if (asks !== 'we') return ['--deflate', '--window-bits', '15', ...others];
  return [
    ...['--deflate', '--window-bits', String(own.bits), '--peer-window-bits', String(theirs.bits)],
    ...(own.takeover ? [] : ['--no-takeover']),
    ...(theirs.takeover ? [] : ['--no-peer-takeover']),
    ...others,
  ];
}

/** What an element of Sec-WebSocket-Extensions has agreed on; as plain text where it is anything else. */
export function parsed(element) {
  const [name, ...params] = (element ?? '').split(/ *; */);
  const values = Object.fromEntries(params.map((param) => param.split('=')));
  const direction = (side) => {
    const bits = Number(values[`${side}_max_window_bits`] ?? 15);
    const takeover = !(`${side}_no_context_takeover` in values);
    return { bits, takeover };
  };
  return name === 'permessage-deflate' ? { server: direction('server'), client: direction('client') } : element;
}

/**
 * That compression is used, as agreed, and the context taken over or not. `roundTrip` sends a text there and back; it
 * gives the octets that the client's frame, `up`, and the server's, `down`, took on the wire.
 */
export async function compresses(roundTrip, { seed, server, client }, fails) {
  // what is compressed to less by itself, as else it may be sent plain, and is taken over by no message
  const text = 'again '.repeat(8) + noise(random(-seed), 152);
  const long = await roundTrip('compressible '.repeat(2000));
  await roundTrip(text);
  const again = await roundTrip(text);
  for (const [way, { takeover }] of [['up', client], ['down', server]]) {
    if (long[way] > 2000) fails(`26,000 octets of text took ${long[way]} octets ${way}`);
    const isFound = again[way] < 80;
    if (isFound !== takeover) fails(`200 octets, the second time, took ${again[way]} octets ${way}`);
  }
}
