// A headless Chromium that is told what to do by its DevTools protocol.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { interopDir, WebSocket, within } from './helper.mjs';

/** A page at `url`; `evaluate` gives what an expression in it comes to, as JSON, once it is no promise any more. */
export async function browse(after, url) {
  const profile = mkdtempSync(`${interopDir}/chromium-`);
  const browser = spawn(
    process.env.CHROMIUM,
    [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
      '--ignore-certificate-errors', '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: profile, TMPDIR: profile } },
  );
  const clean = () => {
    browser.kill('SIGKILL');
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  process.on('exit', clean);
  after(() => browser.kill('SIGTERM'));
  let stderr = '';
  const tools = await within(
    new Promise((resolve, reject) => {
      browser.on('error', reject);
      browser.on('exit', (code) => reject(new Error(`Chromium ended (${code}): ${stderr.slice(-400)}`)));
      browser.stderr.setEncoding('utf8').on('data', (text) => {
        stderr += text;
        const address = /DevTools listening on (ws:\S+)/.exec(stderr);
        if (address) resolve(address[1]);
      });
    }),
    'Chromium',
  );

  const ws = new WebSocket(tools, { maxPayload: 64 << 20 });
  after(() => ws.terminate());
  const answers = new Map();
  ws.on('message', (data) => {
    const { id, result, error } = JSON.parse(data);
    answers.get(id)?.(error ?? result);
  });
  await within(new Promise((resolve, reject) => ws.on('open', resolve).on('error', reject)), 'the DevTools');
  let last = 0;
  const call = (method, params, sessionId) => {
    const id = (last += 1);
    ws.send(JSON.stringify({ id, method, params, sessionId }));
    return within(new Promise((resolve) => answers.set(id, resolve)), method);
  };
  const { targetId } = await call('Target.createTarget', { url });
  const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true });

  return async (expression) => {
    const params = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails, message } = await call('Runtime.evaluate', params, sessionId);
    const failure = exceptionDetails ? (exceptionDetails.exception?.description ?? exceptionDetails.text) : message;
    if (failure) throw new Error(`in the page: ${failure}`);
    return result.value;
  };
}
