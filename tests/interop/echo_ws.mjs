// The echo server judged by the client of Node's `ws`.

import http from 'node:http';
import {
  begin,
  check,
  connect,
  echoes,
  echoServer,
  end,
  found,
  MEBIBYTE,
  MEBIBYTE_TEXT,
  same,
  within,
} from './helper.mjs';

async function closes(ws, code) {
  same(await ws.next(`the close with ${code}`), { close: code }, 'close');
}

/** The answer to an HTTP request that is not (only) a good upgrade. */
function answer(url, headers) {
  return within(
    new Promise((resolve, reject) => {
      const request = http.get(url.replace(/^ws:/, 'http:'), { headers, agent: false });
      request.on('response', (response) => resolve(response.resume()));
      request.on('upgrade', (response, socket) => {
        socket.destroy();
        resolve(response);
      });
      request.on('error', reject);
    }),
    'an HTTP answer',
  );
}

begin('echo server, ws');

const stopMain = [];
const main = await echoServer((action) => stopMain.push(action), '--subprotocol', 'second', '--subprotocol', 'first');
process.on('exit', () => stopMain.forEach((action) => action()));

await check('connects, and without --deflate declines the offered permessage-deflate', async (after) => {
  const ws = await connect(after, main.url);
  same(ws.extensions, '', 'extensions');
  same(ws.protocol, '', 'subprotocol');
  await echoes(ws, 'compressible '.repeat(1000), 'text after the declined offer');
});

await check('text and binary', async (after) => {
  const ws = await connect(after, main.url);
  await echoes(ws, 'hello', 'text');
  await echoes(ws, 'Grüße, κόσμε, 世界 \u{1f600}\u0000', 'non-ASCII text');
  await echoes(ws, Buffer.from([...Array(256).keys()]), 'binary');
});

await check('empty text and empty binary', async (after) => {
  const ws = await connect(after, main.url);
  await echoes(ws, '', 'empty text');
  await echoes(ws, Buffer.alloc(0), 'empty binary');
});

await check('lengths around every length encoding', async (after) => {
  const ws = await connect(after, main.url);
  for (const length of [1, 125, 126, 127, 65535, 65536, 65537]) {
    await echoes(ws, 'x'.repeat(length), `text of ${length} bytes`);
    await echoes(ws, Buffer.alloc(length, 7), `binary of ${length} bytes`);
  }
});

await check('1 MiB text and 1 MiB binary', async (after) => {
  const ws = await connect(after, main.url);
  await echoes(ws, MEBIBYTE_TEXT, '1 MiB text');
  await echoes(ws, MEBIBYTE, '1 MiB binary');
});

await check('fragmented text and binary, empty fragments among them', async (after) => {
  const ws = await connect(after, main.url);
  ws.send('frag', { fin: false });
  ws.send('', { fin: false });
  ws.send('men', { fin: false });
  ws.send('ted', { fin: true });
  same(await ws.next('the echo'), { text: 'fragmented' }, 'text');
  ws.send(Buffer.alloc(0), { fin: false });
  ws.send(Buffer.of(1, 2), { fin: false });
  ws.send(Buffer.of(255), { fin: false });
  ws.send(Buffer.alloc(0), { fin: true });
  same(await ws.next('the echo'), { binary: Buffer.of(1, 2, 255) }, 'binary');
});

await check('fragments that cut UTF-8 code points', async (after) => {
  const ws = await connect(after, main.url);
  const text = 'é€\u{1f600}';
  for (const byte of Buffer.from(text)) ws.send(Buffer.of(byte), { binary: false, fin: false });
  ws.send('', { fin: true });
  same(await ws.next('the echo'), { text }, 'text sent byte by byte');
});

await check('a ping gets a pong with the same payload', async (after) => {
  const ws = await connect(after, main.url);
  for (const payload of ['', 'are you there?', 'x'.repeat(125)]) {
    ws.ping(payload);
    same(await ws.next('the pong'), { pong: payload }, 'pong');
  }
});

await check('a ping between fragments is answered before the message ends', async (after) => {
  const ws = await connect(after, main.url);
  ws.send('before ', { fin: false });
  ws.ping('between');
  same(await ws.next('the pong'), { pong: 'between' }, 'answer to the ping');
  ws.send('after', { fin: true });
  same(await ws.next('the echo'), { text: 'before after' }, 'message around the ping');
});

await check('an unsolicited pong is ignored', async (after) => {
  const ws = await connect(after, main.url);
  ws.pong('nobody asked');
  await echoes(ws, 'still here', 'text after the pong');
});

await check('1000 small messages come back in order', async (after) => {
  const ws = await connect(after, main.url);
  for (let i = 0; i < 1000; i += 1) ws.send(`message ${i}`);
  for (let i = 0; i < 1000; i += 1) same(await ws.next(`echo ${i}`), { text: `message ${i}` }, 'echo');
});

await check('50 connections at once get their own echoes', async (after) => {
  const all = await Promise.all(Array.from({ length: 50 }, () => connect(after, main.url)));
  all.forEach((ws, i) => ws.send(`from ${i}`));
  for (const [i, ws] of all.entries()) same(await ws.next(`echo ${i}`), { text: `from ${i}` }, 'echo');
});

for (const code of [1000, 1001, 3000, 4999]) {
  await check(`close ${code} with a reason is answered with ${code}`, async (after) => {
    const ws = await connect(after, main.url);
    ws.close(code, 'enough, söt');
    await closes(ws, code);
  });
}

await check('close without a code is answered without a code (1005)', async (after) => {
  const ws = await connect(after, main.url);
  ws.close();
  await closes(ws, 1005);
});

await check('messages before a close are echoed before it is answered', async (after) => {
  const ws = await connect(after, main.url);
  ws.send('last words');
  ws.close(1000);
  same(await ws.next('the echo'), { text: 'last words' }, 'echo');
  await closes(ws, 1000);
});

await check('the first of its subprotocols that is offered gets selected', async (after) => {
  const both = await connect(after, main.url, ['first', 'unknown', 'second']);
  same(both.protocol, 'second', 'subprotocol');
  const one = await connect(after, main.url, ['unknown', 'first']);
  same(one.protocol, 'first', 'subprotocol');
});

await check('no subprotocol is selected where none matches', async (after) => {
  // `ws` gives up then, with an error of its own; what counts is the 101.
  const outcome = await connect(after, main.url, ['unknown']).then(
    (ws) => `selected ${ws.protocol}`,
    (error) => error.message,
  );
  same(outcome, 'Server sent no subprotocol', 'what ws says');
});

await check('a plain GET is answered with 426', async () => {
  const response = await answer(main.url, {});
  same(response.statusCode, 426, 'status');
  found(/websocket/i, response.headers.upgrade ?? '', 'Upgrade header');
});

await check('an upgrade to version 8 is refused and version 13 named', async () => {
  const response = await answer(main.url, {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '8',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  });
  same(response.statusCode, 426, 'status');
  same(response.headers['sec-websocket-version'], '13', 'Sec-WebSocket-Version');
});

await check('an upgrade without a key is refused with 400', async () => {
  const response = await answer(main.url, {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
  });
  same(response.statusCode, 400, 'status');
});

await check('an unmasked frame is answered with close 1002', async (after) => {
  const ws = await connect(after, main.url);
  ws.send('no mask', { mask: false });
  await closes(ws, 1002);
});

await check('text that is not UTF-8 is answered with close 1007', async (after) => {
  const ws = await connect(after, main.url);
  ws.send(Buffer.of(0x68, 0xff, 0x69), { binary: false });
  await closes(ws, 1007);
});

await check('--max-message: a message of that size passes, one byte more gets 1009', async (after) => {
  const server = await echoServer(after, '--max-message', '1000');
  const ws = await connect(after, server.url);
  await echoes(ws, Buffer.alloc(1000, 1), 'binary at the limit');
  ws.send(Buffer.alloc(1001, 1));
  await closes(ws, 1009);
});

await check('--max-message: fragments count together', async (after) => {
  const server = await echoServer(after, '--max-message', '1000');
  const ws = await connect(after, server.url);
  ws.send('x'.repeat(600), { fin: false });
  ws.send('x'.repeat(400), { fin: true });
  same(await ws.next('the echo'), { text: 'x'.repeat(1000) }, 'fragments at the limit');
  ws.send('x'.repeat(600), { fin: false });
  ws.send('x'.repeat(401), { fin: true });
  await closes(ws, 1009);
});

await check('the default limit is 16 MiB; one byte more gets 1009', async (after) => {
  const limit = 16 << 20;
  const ws = await connect(after, main.url);
  await echoes(ws, Buffer.alloc(limit, 1), '16 MiB');
  ws.send(Buffer.alloc(limit + 1, 1));
  await closes(ws, 1009);
});

await check('a connection that breaks off does not disturb the others', async (after) => {
  const staying = await connect(after, main.url);
  const leaving = await connect(after, main.url);
  leaving.send('half a message', { fin: false });
  leaving.terminate();
  await echoes(staying, 'still here', 'text on the other connection');
  await echoes(await connect(after, main.url), 'me too', 'text on a new connection');
});

await check('one line is printed per connection opened and closed', async (after) => {
  const server = await echoServer(after);
  const polite = await connect(after, server.url);
  await server.line('a line for the opened connection');
  polite.close(1000);
  await server.line('a line for the closed connection');
  const rude = await connect(after, server.url);
  await server.line('a line for the opened connection');
  rude.terminate();
  await server.line('a line for the broken connection');
  server.child.kill('SIGINT');
  const { status, lines } = await server.finish();
  same(status, 0, 'exit status');
  same(lines, [], 'further lines');
});

await check('SIGINT closes every open connection with 1001 and exits with 0', async (after) => {
  const server = await echoServer(after);
  const idle = await connect(after, server.url);
  const busy = await connect(after, server.url);
  await echoes(idle, 'here', 'text');
  busy.send('half a message', { fin: false });
  busy.ping('read');
  same(await busy.next('the pong'), { pong: 'read' }, 'pong');
  const others = [];
  for (let i = 0; i < 18; i++) others.push(await connect(after, server.url));
  server.child.kill('SIGINT');
  for (const client of [idle, busy, ...others]) await closes(client, 1001);
  const { status, lines } = await server.finish();
  same(status, 0, 'exit status');
  same(lines.filter((line) => line.startsWith('opened ')).length, 20, 'lines for opened connections');
  same(lines.filter((line) => line.startsWith('closed ')).length, 20, 'lines for closed connections');
});

await check('the server of all these checks is still well and exits with 0', async () => {
  main.child.kill('SIGINT');
  same(await main.exit(), 0, 'exit status');
  same(/panicked/.test(main.stderr), false, 'panic on stderr');
});

end();
