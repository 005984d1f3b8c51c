// The echo server judged by a browser: headless Chromium, with `page.html` in it.

import { browse } from './browser.mjs';
import { begin, check, echoServer, end, same } from './helper.mjs';

begin('echo server, Chromium');

await check('the page runs all its checks', async (after) => {
  const servers = {
    main: await echoServer(after, '--subprotocol', 'second', '--subprotocol', 'first'),
    limited: await echoServer(after, '--max-message', '1000'),
    interrupted: await echoServer(after),
  };
  await browse(after, 'page.html', {
    'GET /servers': () =>
      JSON.stringify(Object.fromEntries(Object.entries(servers).map(([name, { url }]) => [name, url]))),
    'POST /interrupt': () => String(servers.interrupted.child.kill('SIGINT')),
  });
  same(await servers.interrupted.exit(), 0, 'exit status of the interrupted server');
  servers.main.child.kill('SIGINT');
  same(await servers.main.exit(), 0, 'exit status of the main server');
});

end();
