// permessage-deflate: the echo server judged by headless Chromium, with `deflate.html` in it. Between them is a relay
// that counts octets, as a page cannot.

import net from 'node:net';
import { browse } from './browser.mjs';
import { begin, check, echoServer, end, same, within } from './helper.mjs';
import { agreements, flags } from './messages.mjs';

/** What all of the page may take; in a quiet moment it takes a tenth of it. */
const SECONDS = 180;

/** A port that leads to the one of `url`; `octets` tells how many have gone up, to the server, and down. */
async function relay(after, url) {
  const octets = { up: 0, down: 0 };
  const server = net.createServer((near) => {
    const far = net.connect(new URL(url).port, '127.0.0.1');
    for (const [from, to, way] of [[near, far, 'up'], [far, near, 'down']]) {
      from.setNoDelay(true);
      from.on('data', (data) => (octets[way] += data.length));
      from.on('error', () => to.destroy());
      from.pipe(to);
      after(() => from.destroy());
    }
  });
  await within(new Promise((resolve) => server.listen(0, '127.0.0.1', resolve)), 'the relay to listen');
  after(() => server.close());
  return { url: `ws://127.0.0.1:${server.address().port}/`, octets };
}

begin('deflate, Chromium');

await check('the page runs all its checks', async (after) => {
  // a browser cannot be told to ask for anything: we do
  const ours = agreements.map((agreement) => ({ ...agreement, asks: 'we' }));
  const programs = [];
  const relays = [];
  for (const args of [...ours.map((agreement) => flags(agreement, 'server')), ['--deflate', '--max-message', '1000']]) {
    programs.push(await echoServer(after, ...args));
    relays.push(await relay(after, programs.at(-1).url));
  }
  const routes = {
    'GET /agreements': () => JSON.stringify(ours),
    'GET /servers': () => JSON.stringify(relays.map(({ url }) => url)),
    'POST /octets': (number) => JSON.stringify(relays[JSON.parse(number)].octets),
  };
  await browse(after, 'deflate.html', routes, SECONDS - 20);
  for (const program of programs) {
    program.child.kill('SIGINT');
    same(await program.exit(), 0, 'exit status');
    same(program.stderr, '', 'stderr');
  }
}, SECONDS);

end();
