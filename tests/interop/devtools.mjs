// A headless Chromium that is driven over its debugging protocol.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { interopDir, WebSocket, within } from './helper.mjs';

/**
 * Starts a browser: `tab(url)` opens a tab with cookies of its own, a `Tab` or what extends it; `close()` leaves nothing
 * behind.
 */
export async function browser(after, { flags = [], kind = Tab } = {}) {
  const profile = mkdtempSync(`${interopDir}/chromium-`);
  const child = spawn(
    process.env.CHROMIUM,
    [
      '--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--remote-debugging-port=0', '--hide-scrollbars',
      '--disable-background-networking', '--disable-component-update', '--disable-sync', '--lang=en-GB',
      '--disable-quic', `--user-data-dir=${profile}`, ...flags, 'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: profile, TMPDIR: profile } },
  );
  const ended = new Promise((resolve) => child.on('close', resolve));
  after(() => child.kill('SIGKILL'));
  const address = await within(
    new Promise((resolve, reject) => {
      let stderr = '';
      child.on('error', reject);
      child.on('close', () => reject(new Error(`Chromium ended: ${stderr.slice(-400)}`)));
      child.stderr.setEncoding('utf8').on('data', (text) => {
        stderr += text;
        const found = /DevTools listening on (ws:\S+)/.exec(stderr);
        if (found) resolve(found[1]);
      });
    }),
    'Chromium to start',
  );
  const protocol = await Protocol.open(address);
  after(() => protocol.socket.terminate());
  const close = async () => {
    await protocol.send('Browser.close');
    await within(ended, 'Chromium to end');
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  return { tab: (url) => kind.open(protocol, url), close };
}

/** Commands and their answers, and events, by session. */
class Protocol {
  #count = 0;
  #answers = new Map();
  #listeners = new Map();

  static async open(address) {
    const protocol = new Protocol();
    protocol.socket = new WebSocket(address);
    protocol.socket.on('message', (data) => protocol.#take(JSON.parse(data)));
    await within(
      new Promise((resolve, reject) => protocol.socket.on('open', resolve).on('error', reject)),
      'the debugging protocol',
    );
    return protocol;
  }

  #take({ id, result, error, method, params, sessionId }) {
    if (id === undefined) return void this.#listeners.get(sessionId)?.(method, params);
    const { resolve, reject } = this.#answers.get(id);
    this.#answers.delete(id);
    if (error) reject(new Error(error.message));
    else resolve(result);
  }

  listen(sessionId, listener) {
    this.#listeners.set(sessionId, listener);
  }

  send(method, params = {}, sessionId = undefined) {
    const id = (this.#count += 1);
    const answer = new Promise((resolve, reject) => this.#answers.set(id, { resolve, reject }));
    this.socket.send(JSON.stringify({ id, method, params, sessionId }));
    return within(answer, `Chromium to answer ${method}`);
  }
}

export class Tab {
  #loaded;
  problems = []; // that the page reports, such as exceptions and breaches of its policy

  static async open(protocol, url) {
    const tab = new this();
    const { browserContextId } = await protocol.send('Target.createBrowserContext');
    const { targetId } = await protocol.send('Target.createTarget', { url: 'about:blank', browserContextId });
    const { sessionId } = await protocol.send('Target.attachToTarget', { targetId, flatten: true });
    tab.send = (method, params) => protocol.send(method, params, sessionId);
    protocol.listen(sessionId, (method, params) => tab.#note(method, params));
    for (const domain of ['Page', 'Runtime', 'Log']) await tab.send(`${domain}.enable`);
    await tab.send('Emulation.setFocusEmulationEnabled', { enabled: true });
    await tab.#load('Page.navigate', { url });
    return tab;
  }

  #note(method, params) {
    if (method === 'Page.loadEventFired') this.#loaded?.();
    if (method === 'Runtime.exceptionThrown') this.problems.push(params.exceptionDetails.exception?.description);
    // that a server which was killed cannot be reached is no problem of the page
    if (method === 'Log.entryAdded' && params.entry.level === 'error' && params.entry.source !== 'network') {
      if (!/WebSocket connection to/.test(params.entry.text)) this.problems.push(params.entry.text);
    }
  }

  async #load(method, params) {
    const loaded = new Promise((resolve) => (this.#loaded = resolve));
    await this.send(method, params);
    await within(loaded, 'the page to load');
  }

  reload() {
    return this.#load('Page.reload');
  }

  /** The value of an expression in the page. */
  async value(expression) {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', {
      expression, awaitPromise: true, returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }
}
