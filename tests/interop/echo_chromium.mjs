// The echo server judged by a browser: serves `page.html` to a headless
// Chromium and prints the results that the page sends back.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { begin, check, echoServer, end, interopDir, Queue, report, same, within } from './helper.mjs';

begin('echo server, Chromium');

await check('the page runs all its checks', async (after) => {
  const servers = {
    main: await echoServer(after, '--subprotocol', 'second', '--subprotocol', 'first'),
    limited: await echoServer(after, '--max-message', '1000'),
    interrupted: await echoServer(after),
  };
  const page = readFileSync(new URL('page.html', import.meta.url));
  const done = new Queue();
  const routes = {
    'GET /': () => page,
    'GET /servers': () =>
      JSON.stringify(Object.fromEntries(Object.entries(servers).map(([name, { url }]) => [name, url]))),
    'POST /interrupt': () => String(servers.interrupted.child.kill('SIGINT')),
    'POST /result': (body) => {
      const { name, milliseconds, problem } = JSON.parse(body);
      report(name, milliseconds, problem);
      return '';
    },
    'POST /done': (body) => {
      done.push(JSON.parse(body));
      return '';
    },
  };

  const site = http.createServer(async (request, response) => {
    const body = (await request.toArray()).join('');
    const route = routes[`${request.method} ${request.url}`];
    response.writeHead(route ? 200 : 404, { 'Content-Type': 'text/html; charset=utf-8' });
    response.end(route?.(body));
  });
  await within(new Promise((resolve) => site.listen(0, '127.0.0.1', resolve)), 'the page to be served');
  after(() => site.close());

  const profile = mkdtempSync(`${interopDir}/chromium-`);
  const browser = spawn(
    process.env.CHROMIUM,
    [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
      `--user-data-dir=${profile}`,
      `http://127.0.0.1:${site.address().port}/`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: profile, TMPDIR: profile } },
  );
  let stderr = '';
  browser.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const ended = new Promise((resolve) => browser.on('close', resolve));
  browser.on('error', (error) => done.push({ failed: error.message }));
  browser.on('exit', (code, signal) =>
    done.push({ failed: `Chromium ended (${code ?? signal}): ${stderr.slice(-400)}` }),
  );

  try {
    const { checks, failed } = await done.next('the page to end', 50);
    same(failed, undefined, 'Chromium');
    same(checks > 0, true, 'the page has checks');
    same(await servers.interrupted.exit(), 0, 'exit status of the interrupted server');
    servers.main.child.kill('SIGINT');
    same(await servers.main.exit(), 0, 'exit status of the main server');
  } finally {
    browser.kill('SIGTERM');
    await within(ended, 'Chromium to end', 10).catch(() => browser.kill('SIGKILL'));
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
});

end();
