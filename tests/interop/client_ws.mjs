// The command line client judged by servers of Node's `ws`, and by servers
// that speak HTTP and frames by hand where `ws` would not do it wrong.

import {
  begin,
  check,
  client,
  end,
  found,
  goodAnswer,
  MEBIBYTE_TEXT,
  Queue,
  same,
  serve,
  serveByHand,
} from './helper.mjs';

/**
 * A server that upgrades and sends `bytes` in the same write. `arrived` hands
 * out the (short) frames that the client sends; a close frame among them ends
 * the TCP connection.
 */
async function serveBytes(after, bytes) {
  const arrived = new Queue();
  const url = await serveByHand(after, (request, socket) => {
    let rest = Buffer.alloc(0);
    socket.on('data', (data) => {
      rest = Buffer.concat([rest, data]);
      while (rest.length >= 6 && rest.length >= 6 + (rest[1] & 127)) {
        const end = 6 + (rest[1] & 127);
        const key = rest.subarray(2, 6);
        const payload = rest.subarray(6, end).map((byte, i) => byte ^ key[i % 4]);
        const opcode = rest[0] & 15;
        arrived.push({ opcode, masked: rest[1] >= 128, key: key.toString('hex'), payload });
        if (opcode === 8) socket.end();
        rest = rest.subarray(end);
      }
    });
    socket.write(Buffer.concat([Buffer.from(goodAnswer(request)), Buffer.from(bytes)]));
  });
  return { url, arrived };
}

const echo = (ws) => ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));

begin('client, ws');

await check('a line through a pipe is echoed; close 1000 and exit 0', async (after) => {
  const { url, closed } = await serve(after, echo);
  const { status, lines } = await client(after, url).finish('hello\n');
  same(lines, ['hello'], 'stdout');
  same(status, 0, 'exit status');
  same((await closed.next('the close')).code, 1000, 'close code');
});

await check('empty lines, a last line without its newline, non-ASCII text', async (after) => {
  const { url } = await serve(after, echo);
  const lines = ['Grüße', '', 'κόσμε, 世界 \u{1f600}', ' spaces ', 'last'];
  same((await client(after, url).finish(lines.join('\n'))).lines, lines, 'stdout');
});

await check('a welcome message comes first', async (after) => {
  const { url } = await serve(after, (ws) => {
    ws.send('welcome');
    echo(ws);
  });
  same((await client(after, url).finish('hello\n')).lines, ['welcome', 'hello'], 'stdout');
});

await check('upper-cased echo', async (after) => {
  const { url } = await serve(after, (ws) => ws.on('message', (data) => ws.send(data.toString().toUpperCase())));
  same((await client(after, url).finish('straße\nçava\n')).lines, ['STRASSE', 'ÇAVA'], 'stdout');
});

await check('an echo that takes half a second is waited for, whatever comes before it', async (after) => {
  const { url } = await serve(after, (ws) => {
    ws.send('welcome');
    ws.on('message', (data) => setTimeout(() => ws.send(data.toString()), 500));
  });
  same((await client(after, url).finish('slow\n')).lines, ['welcome', 'slow'], 'stdout');
});

await check('an echo that never comes is waited for only --wait seconds', async (after) => {
  const { url, closed } = await serve(after, () => {});
  const started = performance.now();
  const { status, lines } = await client(after, url, '--wait', '1').finish('hello?\n');
  const seconds = (performance.now() - started) / 1000;
  same({ status, lines }, { status: 0, lines: [] }, 'outcome');
  same(seconds > 0.9 && seconds < 5, true, `exit after a wait of 1 s, not after ${seconds.toFixed(1)} s`);
  same((await closed.next('the close')).code, 1000, 'close code');
});

await check('a broadcast reaches all of three clients', async (after) => {
  const joined = new Queue();
  const { url, server } = await serve(after, (ws) => {
    joined.push(ws);
    ws.on('message', (data) => {
      for (const each of server.clients) each.send(data.toString());
    });
  });
  const clients = ['anna', 'ben', 'cleo'].map((name) => Object.assign(client(after, url), { name }));
  for (const { name } of clients) await joined.next(`${name} to join`);
  const sent = [];
  for (const speaker of clients) {
    speaker.write(`${speaker.name} here\n`);
    sent.push(`${speaker.name} here`);
    for (const listener of clients) same(await listener.line('the broadcast'), sent.at(-1), listener.name);
  }
  for (const each of clients) same(await each.finish(), { status: 0, lines: [], stderr: each.stderr }, each.name);
});

await check('a close by the server is shown and ends the client though its input is open', async (after) => {
  const { url, closed } = await serve(after, (ws) => {
    ws.send('goodbye');
    ws.close(4000, 'going home');
  });
  const program = client(after, url);
  same(await program.line('the message before the close'), 'goodbye', 'stdout');
  same(await program.exit(), 0, 'exit status');
  found(/^closed 4000 going home$/m, program.stderr, 'stderr');
  same((await closed.next('the close')).code, 4000, 'code of the answer');
});

await check('a close by the server without a code is answered without one', async (after) => {
  const { url, closed } = await serve(after, (ws) => ws.close());
  const program = client(after, url);
  same(await program.exit(), 0, 'exit status');
  found(/^closed\b/m, program.stderr, 'stderr');
  same((await closed.next('the close')).code, 1005, 'code of the answer');
});

await check('pings of the server are answered with the same payload', async (after) => {
  const pongs = new Queue();
  const { url } = await serve(after, (ws) => {
    ws.on('pong', (data) => pongs.push(data.toString()));
    for (const payload of ['', 'are you there?', 'x'.repeat(125)]) ws.ping(payload);
  });
  const program = client(after, url);
  for (const payload of ['', 'are you there?', 'x'.repeat(125)]) {
    same(await pongs.next('the pong'), payload, 'pong');
  }
  same((await program.finish()).status, 0, 'exit status');
});

await check('a refused upgrade: status, header and body shown, exit 1', async (after) => {
  const url = await serveByHand(after, (request, socket) =>
    socket.end(
      'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm="chat"\r\n' +
        'Content-Type: text/plain\r\nContent-Length: 19\r\n\r\nshow a token first\n',
    ),
  );
  const { status, lines, stderr } = await client(after, url).finish('hello\n');
  same({ status, lines }, { status: 1, lines: [] }, 'outcome');
  found(/401 Unauthorized/, stderr, 'stderr');
  found(/www-authenticate: Bearer realm="chat"/i, stderr, 'stderr');
  found(/show a token first/, stderr, 'stderr');
});

await check('a redirect is shown with its Location and not followed, exit 1', async (after) => {
  let requests = 0;
  const url = await serveByHand(after, (request, socket) => {
    requests += 1;
    socket.end('HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:9/elsewhere\r\nContent-Length: 0\r\n\r\n');
  });
  const { status, lines, stderr } = await client(after, url).finish('hello\n');
  same({ status, lines, requests }, { status: 1, lines: [], requests: 1 }, 'outcome');
  found(/302/, stderr, 'stderr');
  found(/redirect/i, stderr, 'stderr');
  found(/ws:\/\/127\.0\.0\.1:9\/elsewhere/, stderr, 'stderr');
});

await check('subprotocols are offered in order and the chosen one is accepted', async (after) => {
  const seen = new Queue();
  const { url } = await serve(
    after,
    (ws, request) => {
      seen.push([request.headers['sec-websocket-protocol'].split(/, */), ws.protocol]);
      echo(ws);
    },
    { handleProtocols: () => 'chat.v1' },
  );
  const program = client(after, url, '--subprotocol', 'chat.v2', '--subprotocol', 'chat.v1');
  same((await program.finish('hello\n')).lines, ['hello'], 'stdout');
  same(await seen.next('the connection'), [['chat.v2', 'chat.v1'], 'chat.v1'], 'offer and choice');
});

await check('a subprotocol that was not offered is not accepted', async (after) => {
  const { url } = await serve(after, echo, { handleProtocols: () => 'chat.v3' });
  const { status, lines } = await client(after, url, '--subprotocol', 'chat.v2').finish('hello\n');
  same({ failed: status === 1 || status === 2, lines }, { failed: true, lines: [] }, 'outcome');
});

await check('own headers and the origin arrive', async (after) => {
  const seen = new Queue();
  const { url } = await serve(after, (ws, request) => {
    seen.push([request.headers['x-token'], request.headers.cookie, request.headers.origin, request.url]);
    echo(ws);
  });
  const program = client(
    after, `${url}chat?room=1`,
    '--header', 'X-Token: s3cret: yes', '--header', 'Cookie: a=b', '--origin', 'https://example.org',
  );
  same((await program.finish('hello\n')).lines, ['hello'], 'stdout');
  same(await seen.next('the connection'), ['s3cret: yes', 'a=b', 'https://example.org', '/chat?room=1'], 'request');
});

await check('a fragmented message with a ping between is one line', async (after) => {
  const [first, second] = [Buffer.from('1 € and').subarray(0, 3), Buffer.from('1 € and').subarray(3)];
  const pongs = new Queue();
  const { url } = await serve(after, (ws) => {
    ws.on('pong', (data) => pongs.push(data.toString()));
    ws.send(first, { binary: false, fin: false });
    ws.ping('between');
    ws.send(second, { binary: false, fin: false });
    ws.send(' a cent', { fin: true });
  });
  const program = client(after, url);
  same(await program.line('the message'), '1 € and a cent', 'stdout');
  same(await pongs.next('the pong'), 'between', 'pong');
  same((await program.finish()).lines, [], 'further lines');
});

await check('1 MiB from the server, and 1 MiB there and back', async (after) => {
  const { url } = await serve(after, (ws) => {
    ws.send(MEBIBYTE_TEXT);
    echo(ws);
  });
  const line = `${MEBIBYTE_TEXT.slice(1)}!`;
  same((await client(after, url).finish(`${line}\n`)).lines, [MEBIBYTE_TEXT, line], 'stdout');
});

await check('10,000 lines through the pipe in order', async (after) => {
  const { url } = await serve(after, echo);
  const sent = Array.from({ length: 10_000 }, (_, i) => `line ${i}`);
  const { status, lines } = await client(after, url).finish(`${sent.join('\n')}\n`);
  same(lines.length, sent.length, 'number of lines');
  same(lines.findIndex((line, i) => line !== sent[i]), -1, 'index of the first wrong line');
  same(status, 0, 'exit status');
});

await check('/binary sends binary, and binary is printed in hexadecimal', async (after) => {
  const seen = new Queue();
  const { url } = await serve(after, (ws) => {
    ws.on('message', (data, isBinary) => seen.push([data, isBinary]));
    echo(ws);
  });
  const { lines } = await client(after, url).finish('/binary 00ff10\nhello\n');
  same(await seen.next('the message'), [Buffer.of(0, 255, 16), true], 'what arrived');
  same(lines, ['binary 00ff10', 'hello'], 'stdout');
});

await check('/ping sends a ping, and the pong is shown', async (after) => {
  const pings = new Queue();
  const { url } = await serve(after, (ws) => {
    ws.on('ping', (data) => pings.push(data.toString()));
    echo(ws);
  });
  const { lines } = await client(after, url).finish('/ping are you there\nhello\n');
  same(await pings.next('the ping'), 'are you there', 'payload');
  same(lines, ['pong are you there', 'hello'], 'stdout');
});

await check('/close closes with that code and reason', async (after) => {
  const { url, closed } = await serve(after, echo);
  const program = client(after, url);
  program.write('/close 4001 bye for now\n');
  same(await closed.next('the close'), { code: 4001, reason: 'bye for now' }, 'close');
  same(await program.exit(), 0, 'exit status');
  found(/^closed 4001\b/m, program.stderr, 'stderr');
});

await check('every frame is masked, with a key of its own', async (after) => {
  const { url, arrived } = await serveBytes(after, []);
  const program = client(after, url);
  const keys = new Set();
  for (let i = 0; i < 20; i += 1) {
    program.write(`line ${i}\n`);
    const { opcode, masked, key, payload } = await arrived.next(`frame ${i}`);
    same([opcode, masked, payload.toString()], [1, true, `line ${i}`], 'frame');
    keys.add(key);
  }
  same(keys.size, 20, 'different keys');
});

await check('a message in the same segment as the upgrade is not lost', async (after) => {
  const { url } = await serveBytes(after, [0x81, 7, ...Buffer.from('welcome')]);
  same(await client(after, url).line('the message'), 'welcome', 'stdout');
});

for (const [what, bytes, code, rule] of [
  ['a frame with a reserved bit', [0xc1, 1, 0x78], 1002, /rsv|reserved/i],
  ['a frame with an unknown opcode', [0x83, 0], 1002, /opcode|reserved/i],
  ['a masked frame', [0x81, 0x81, 1, 2, 3, 4, 0x79], 1002, /mask/i],
  ['a continuation of nothing', [0x80, 1, 0x78], 1002, /continu|opcode/i],
  ['a fragmented ping', [0x09, 0], 1002, /control|\bfin\b/i],
  ['text that is not UTF-8', [0x81, 2, 0xc3, 0x28], 1007, /utf-?8/i],
]) {
  await check(`${what} from the server: close ${code}, the rule shown, exit 2`, async (after) => {
    const { url, arrived } = await serveBytes(after, bytes);
    const program = client(after, url);
    const { opcode, payload } = await arrived.next('the close frame');
    same([opcode, payload.readUInt16BE()], [8, code], 'opcode and close code');
    same(await program.exit(), 2, 'exit status');
    found(rule, program.stderr, 'stderr');
  });
}

await check('a wrong Sec-WebSocket-Accept is not accepted', async (after) => {
  const url = await serveByHand(after, (request, socket) => {
    request.headers['sec-websocket-key'] += 'x';
    socket.write(goodAnswer(request));
  });
  const { status, lines, stderr } = await client(after, url).finish('hello\n');
  same({ failed: status === 1 || status === 2, lines }, { failed: true, lines: [] }, 'outcome');
  found(/sec-websocket-accept/i, stderr, 'stderr');
});

await check('a connection that breaks off without a close ends the client', async (after) => {
  const url = await serveByHand(after, (request, socket) => socket.end(goodAnswer(request)));
  const program = client(after, url);
  same((await program.exit()) !== 0, true, 'an exit status that tells of it');
  found(/./, program.stderr, 'stderr');
});

end();
