// permessage-deflate: the echo server judged by the client of Node's `ws`, the command line client by its server.

import { isUtf8 } from 'node:buffer';
import {
  begin,
  check,
  client,
  connect,
  echoes,
  echoServer,
  end,
  found,
  goodAnswer,
  Queue,
  same,
  serve,
  serveByHand,
} from './helper.mjs';
import { agreements, below, compresses, describe, flags, lots, messages, parsed, random } from './messages.mjs';

const EXTENSIONS = 'sec-websocket-extensions';

function fails(why) {
  throw new Error(why);
}

/**
 * Options of `ws` that ask for an agreement, or only take part in it; but our client does not say which window it has,
 * so that a server says which it may have.
 */
function options({ asks, isEager, server, client }, side) {
  const threshold = isEager ? 0 : 1024;
  if (asks === 'we') return side === 'server' ? { threshold, clientMaxWindowBits: client.bits } : { threshold };
  return {
    threshold,
    serverMaxWindowBits: server.bits,
    clientMaxWindowBits: client.bits,
    serverNoContextTakeover: !server.takeover,
    clientNoContextTakeover: !client.takeover,
  };
}

/** Sends a message, whole or in fragments, compressed or plain, with a ping before or in it; gives what is to come. */
function send(ws, message, next) {
  const binary = typeof message !== 'string';
  const compress = next() < 0.8;
  const expected = [];
  const ping = () => {
    const payload = `ping ${next()}`;
    ws.ping(payload);
    expected.push({ pong: payload });
  };
  if (next() < 0.05) ping();
  let rest = Buffer.from(message);
  while (next() < 0.2) {
    const at = below(next, rest.length + 1);
    ws.send(rest.subarray(0, at), { binary, compress, fin: false });
    rest = rest.subarray(at);
    if (next() < 0.2) ping();
  }
  ws.send(rest, { binary, compress, fin: true });
  expected.push(binary ? { binary: Buffer.from(message) } : { text: message });
  return expected;
}

/** The line that has the command line client send a message. */
function line(message) {
  if (typeof message !== 'string') return `/binary ${Buffer.from(message).toString('hex')}`;
  return message.startsWith('/') ? `/${message}` : message;
}

/** The line with which it shows one. */
function shown(message) {
  return typeof message === 'string' ? message : `binary ${Buffer.from(message).toString('hex')}`;
}

begin('deflate, ws');

for (const agreement of agreements) {
  const { seed, count, hasLarge, server, client } = agreement;
  await check(`to the echo server, ${describe(agreement)}`, async (after) => {
    const program = await echoServer(after, ...flags(agreement, 'server'));
    const ws = await connect(after, program.url, [], { perMessageDeflate: options(agreement, 'client') });
    same(ws.extensions, 'permessage-deflate', 'extensions');
    same(parsed(ws.response.headers[EXTENSIONS]), { server, client }, 'what was agreed');
    const { socket } = ws.response;
    const roundTrip = async (text) => {
      const [up, down] = [socket.bytesWritten, socket.bytesRead];
      await echoes(ws, text, 'text');
      return { up: socket.bytesWritten - up, down: socket.bytesRead - down };
    };
    await compresses(roundTrip, agreement, fails);

    const next = random(1000 + seed);
    for (const lot of lots(messages(seed, count, hasLarge))) {
      const expected = lot.flatMap((message) => send(ws, message, next));
      for (const each of expected) same(await ws.next('an echo'), each, 'echo');
    }
    ws.close(1000);
    same(await ws.next('the close'), { close: 1000 }, 'close');
    program.child.kill('SIGINT');
    same(await program.exit(), 0, 'exit status');
    same(program.stderr, '', 'stderr');
  });
}

for (const agreement of agreements) {
  const { seed, count, hasLarge, asks, server } = agreement;
  await check(`from the client, ${describe(agreement)}`, async (after) => {
    const next = random(2000 + seed);
    const seen = new Queue();
    let open;
    let isProbed = false;
    let pings = 0;
    const { url, server: peer, closed } = await serve(
      after,
      (ws, { socket }) => {
        open = { ws, socket };
        ws.on('pong', () => (pings -= 1));
        ws.on('message', (data, isBinary) => {
          if (isProbed) pings += send(ws, isBinary ? data : data.toString(), next).length - 1;
          else ws.send(data, { binary: isBinary });
        });
      },
      { perMessageDeflate: options(agreement, 'server') },
    );
    peer.on('headers', (headers) => seen.push(headers.find((field) => field.toLowerCase().startsWith(EXTENSIONS))));
    const program = client(after, url, ...flags(agreement, 'client'));
    const roundTrip = async (text) => {
      const [up, down] = [open?.socket.bytesRead ?? 0, open?.socket.bytesWritten ?? 0];
      program.write(`${text}\n`);
      same(await program.line('the echo'), text, 'echo');
      return { up: open.socket.bytesRead - up, down: open.socket.bytesWritten - down };
    };
    await roundTrip('the connection is open');
    const agreed = (await seen.next('the response')).replace(/^.*?: */, '');
    same(open.ws.extensions, 'permessage-deflate', 'extensions');
    same(parsed(agreed), { server, client: agreement.client }, `what was agreed as ${asks} asked`);
    same(parsed(program.stderr.trim()), parsed(agreed), 'what the client shows');
    await compresses(roundTrip, agreement, fails);

    isProbed = true;
    const all = messages(seed, count, hasLarge);
    const { status, lines } = await program.finish(`${all.map(line).join('\n')}\n`);
    same(lines.length, count, 'number of echoes');
    const wrong = lines.findIndex((each, i) => each !== shown(all[i]));
    same(lines[wrong], wrong < 0 ? undefined : shown(all[wrong]), `echo ${wrong}`);
    same(status, 0, 'exit status');
    same(await closed.next('the close'), { code: 1000, reason: '' }, 'close');
    same(pings, 0, 'pings without a pong');
  });
}

await check('a client that does not offer it gets plain messages', async (after) => {
  const server = await echoServer(after, '--deflate');
  const ws = await connect(after, server.url, [], { perMessageDeflate: false });
  same(ws.response.headers[EXTENSIONS], undefined, 'what was agreed');
  const before = ws.response.socket.bytesRead;
  await echoes(ws, 'compressible '.repeat(2000), 'text');
  same(ws.response.socket.bytesRead - before, 26_004, 'octets on the wire');
});

for (const [what, args, perMessageDeflate] of [
  ['with a server whose window is 8 bits', [], { serverMaxWindowBits: 8 }],
  ['with a window that cannot be limited', ['--peer-window-bits', '10'], { clientMaxWindowBits: false }],
]) {
  await check(`a client ${what} is declined, and gets plain messages`, async (after) => {
    const server = await echoServer(after, '--deflate', ...args);
    const ws = await connect(after, server.url, [], { perMessageDeflate });
    same(ws.response.statusCode, 101, 'status');
    same(ws.response.headers[EXTENSIONS], undefined, 'what was agreed');
    const before = ws.response.socket.bytesRead;
    await echoes(ws, 'compressible '.repeat(2000), 'text');
    same(ws.response.socket.bytesRead - before, 26_004, 'octets on the wire');
  });
}

await check('--fallback: a client whose window cannot be limited is accepted', async (after) => {
  const server = await echoServer(after, '--deflate', '--peer-window-bits', '10', '--fallback');
  const ws = await connect(after, server.url, [], { perMessageDeflate: { clientMaxWindowBits: false } });
  const agreed = { server: { bits: 12, takeover: true }, client: { bits: 15, takeover: true } };
  same(parsed(ws.response.headers[EXTENSIONS]), agreed, 'what was agreed');
  await echoes(ws, 'compressible '.repeat(2000), 'text');
});

await check('the default of both: 12 bits for the server, 15 for the client', async (after) => {
  const server = await echoServer(after, '--deflate');
  const ws = await connect(after, server.url);
  const agreed = { server: { bits: 12, takeover: true }, client: { bits: 15, takeover: true } };
  same(parsed(ws.response.headers[EXTENSIONS]), agreed, 'what was agreed');
});

await check('--max-message counts what was inflated: 1000 octets pass, one more gets 1009', async (after) => {
  const server = await echoServer(after, '--deflate', '--max-message', '1000');
  const ws = await connect(after, server.url, [], { perMessageDeflate: { threshold: 0 } });
  await echoes(ws, Buffer.alloc(1000, 1), 'binary at the limit');
  const before = ws.response.socket.bytesWritten;
  ws.send(Buffer.alloc(1001, 1));
  same(await ws.next('the close'), { close: 1009 }, 'close');
  same(ws.response.socket.bytesWritten - before < 100, true, 'octets on the wire below 100');
});

await check('text that is not UTF-8 inside gets 1007', async (after) => {
  const server = await echoServer(after, '--deflate');
  const ws = await connect(after, server.url, [], { perMessageDeflate: { threshold: 0 } });
  const data = Buffer.concat([Buffer.alloc(1000, 'x'), Buffer.of(0xff)]);
  same(isUtf8(data), false, 'is UTF-8');
  ws.send(data, { binary: false });
  same(await ws.next('the close'), { close: 1007 }, 'close');
});

await check('SIGINT closes with 1001 amid compressed messages', async (after) => {
  const server = await echoServer(after, '--deflate', '--shared');
  const ws = await connect(after, server.url, [], { perMessageDeflate: { threshold: 0 } });
  await echoes(ws, 'compressible '.repeat(100), 'text');
  ws.send('half a message', { fin: false });
  ws.ping('read');
  same(await ws.next('the pong'), { pong: 'read' }, 'pong');
  server.child.kill('SIGINT');
  same(await ws.next('the close'), { close: 1001 }, 'close');
  same(await server.exit(), 0, 'exit status');
});

await check('50 connections at once share a pool of states', async (after) => {
  const server = await echoServer(after, '--deflate', '--shared', '--threshold', '0');
  const open = () => connect(after, server.url, [], { perMessageDeflate: { threshold: 0 } });
  const all = await Promise.all(Array.from({ length: 50 }, open));
  for (let round = 0; round < 20; round += 1) {
    all.forEach((ws, i) => ws.send(`from ${i}, round ${round}`));
    for (const [i, ws] of all.entries()) {
      same(await ws.next(`echo ${i}`), { text: `from ${i}, round ${round}` }, 'echo');
    }
  }
});

await check('the client offers nothing without --deflate', async (after) => {
  const seen = new Queue();
  const { url } = await serve(
    after,
    (ws, request) => {
      seen.push([request.headers[EXTENSIONS], ws.extensions]);
      ws.on('message', (data) => ws.send(data.toString()));
    },
    { perMessageDeflate: true },
  );
  same((await client(after, url).finish('hello\n')).lines, ['hello'], 'stdout');
  same(await seen.next('the connection'), [undefined, ''], 'offer and answer');
});

await check('a server that declines gets plain messages', async (after) => {
  const seen = new Queue();
  const { url } = await serve(
    after,
    (ws, { headers, socket }) => {
      const before = socket.bytesRead;
      ws.on('message', (data) => {
        seen.push([headers[EXTENSIONS], ws.extensions, socket.bytesRead - before]);
        ws.send(data.toString());
      });
    },
    { perMessageDeflate: false },
  );
  const text = 'compressible '.repeat(2000);
  const { status, lines, stderr } = await client(after, url, '--deflate').finish(`${text}\n`);
  same({ status, lines, stderr }, { status: 0, lines: [text], stderr: 'closed 1000 \n' }, 'outcome');
  const [offer, agreed, octets] = await seen.next('the message');
  same([offer, agreed], ['permessage-deflate; client_max_window_bits', ''], 'offer and answer');
  same(octets >= 26_008, true, 'octets on the wire not below 26,008');
});

await check('a server that cannot do what the client requires refuses, exit 1', async (after) => {
  // with a response without the extension it could have gone on, but `ws` answers 400
  const { url } = await serve(after, () => {}, { perMessageDeflate: { serverMaxWindowBits: 12 } });
  const { status, stderr } = await client(after, url, '--deflate', '--peer-window-bits', '10').finish('hello\n');
  same(status, 1, 'exit status');
  found(/400 Bad Request/, stderr, 'stderr');
});

await check('--fallback: the second of two offers is accepted where the first cannot be', async (after) => {
  const { url } = await serve(
    after,
    (ws, { headers }) => ws.on('message', (data) => ws.send(`${data} ${ws.extensions} ${headers[EXTENSIONS]}`)),
    { perMessageDeflate: { serverMaxWindowBits: 12 } },
  );
  const args = ['--deflate', '--peer-window-bits', '10', '--fallback'];
  const { status, lines, stderr } = await client(after, url, ...args).finish('hello\n');
  const first = 'permessage-deflate; server_max_window_bits=10; client_max_window_bits';
  const offers = `${first}, permessage-deflate; client_max_window_bits`;
  same({ status, lines }, { status: 0, lines: [`hello permessage-deflate ${offers}`] }, 'outcome');
  const agreed = { server: { bits: 12, takeover: true }, client: { bits: 15, takeover: true } };
  same(parsed(stderr.split('\n')[0]), agreed, 'what the client shows');
});

for (const [what, answer] of [
  ['with a larger window than was asked for', 'permessage-deflate; server_max_window_bits=11'],
  ['without the window that was asked for', 'permessage-deflate'],
  ['with what is no parameter', 'permessage-deflate; server_max_window_bits=10; unheard_of'],
  ['with another extension', 'permessage-bzip2'],
]) {
  await check(`a server that answers ${what} is left, exit 2`, async (after) => {
    const url = await serveByHand(after, (request, socket) =>
      socket.write(goodAnswer(request, `Sec-WebSocket-Extensions: ${answer}\r\n`)),
    );
    const { status, lines } = await client(after, url, '--deflate', '--peer-window-bits', '10').finish('hello\n');
    same({ status, lines }, { status: 2, lines: [] }, 'outcome');
  });
}

end();
