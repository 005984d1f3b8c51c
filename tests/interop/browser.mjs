// A headless Chromium that runs a page of this folder, which judges by itself.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { interopDir, Queue, report, same, within } from './helper.mjs';

const file = (name) => readFileSync(new URL(name, import.meta.url));

/** Serves a page and what it asks for by `more` routes, runs it to its end, and reports its checks. */
export async function browse(after, page, more, seconds = 50) {
  const done = new Queue();
  const routes = {
    'GET /': () => file(page),
    'GET /page.mjs': () => file('page.mjs'),
    'GET /messages.mjs': () => file('messages.mjs'),
    'POST /result': (body) => {
      const { name, milliseconds, problem } = JSON.parse(body);
      report(name, milliseconds, problem);
      return '';
    },
    'POST /done': (body) => {
      done.push(JSON.parse(body));
      return '';
    },
    ...more,
  };

  const site = http.createServer(async (request, response) => {
    const body = (await request.toArray()).join('');
    const route = routes[`${request.method} ${request.url}`];
    const type = request.url.endsWith('.mjs') ? 'text/javascript' : 'text/html';
    response.writeHead(route ? 200 : 404, { 'Content-Type': `${type}; charset=utf-8` });
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
    const { checks, failed } = await done.next('the page to end', seconds);
    same(failed, undefined, 'Chromium');
    same(checks > 0, true, 'the page has checks');
  } finally {
    browser.kill('SIGTERM');
    await within(ended, 'Chromium to end', 10).catch(() => browser.kill('SIGKILL'));
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
