// A headless Chromium that is driven over its debugging protocol: people with a tab each.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { interopDir, same, WebSocket, within } from './helper.mjs';

/** Starts a browser: `tab(url)` opens a tab with cookies of its own; `close()` leaves nothing behind. */
export async function browser(after) {
  const profile = mkdtempSync(`${interopDir}/chromium-`);
  const child = spawn(
    process.env.CHROMIUM,
    [
      '--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--remote-debugging-port=0', '--hide-scrollbars',
      '--disable-background-networking', '--disable-component-update', '--disable-sync', '--lang=en-GB',
      `--user-data-dir=${profile}`, 'about:blank',
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
  return { tab: (url) => Tab.open(protocol, url), close };
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

class Tab {
  #loaded;
  problems = []; // that the page reports, such as exceptions and breaches of its policy

  static async open(protocol, url) {
    const tab = new Tab();
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

  /** Waits until the page is such that the expression is true. */
  async until(expression, what, seconds = 15) {
    const is = `new Promise((resolve) => {
      const watch = new MutationObserver(() => check());
      const check = () => { if (${expression}) { watch.disconnect(); resolve(true); } };
      watch.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
      check();
    })`;
    try {
      await within(this.value(is), what, seconds);
    } catch (error) {
      const status = await this.value('document.getElementById("status")?.textContent');
      const messages = JSON.stringify(await this.messages());
      throw new Error(`${error.message}; the page says ${status}, and has ${messages.slice(-300)}`);
    }
  }

  /** Types text where the focus is put, as a person does. */
  async type(id, text) {
    await this.value(`document.getElementById('${id}').focus()`);
    await this.send('Input.insertText', { text });
  }

  async press(key, modifiers = 0) {
    const enter = { key, code: key, windowsVirtualKeyCode: 13, modifiers, text: '\r' };
    await this.send('Input.dispatchKeyEvent', { type: 'keyDown', ...enter });
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', ...enter, text: undefined });
  }

  /** Comes in by the form of the page. */
  async enter(name, room) {
    await this.value(`document.getElementById('room').value = ${JSON.stringify(room)}`);
    await this.type('name', name);
    await this.press('Enter');
    await this.until('document.getElementById("status").dataset.state === "open"', `${name} to be connected`);
  }

  async say(text) {
    await this.type('text', text);
    await this.press('Enter');
  }

  /** The texts of all messages on the page. */
  messages() {
    return this.value('[...document.querySelectorAll(".message:not(.pending) p")].map((p) => p.textContent)');
  }

  /** Waits for messages, which are then all that the page has. */
  async has(messages, what) {
    await this.until(`document.querySelectorAll(".message:not(.pending)").length >= ${messages.length}`, what);
    same(await this.messages(), messages, what);
  }

  here() {
    return this.value('[...document.querySelectorAll("#here li")].map((li) => li.textContent)');
  }

  async screenshot(path, width, height, scheme, isMobile = false) {
    const screen = { width, height, deviceScaleFactor: isMobile ? 2 : 1, mobile: isMobile };
    await this.send('Emulation.setDeviceMetricsOverride', screen);
    await this.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
    await this.value('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))');
    await this.value('document.getElementById("messages").scrollTo(0, 1e6)');
    const { data } = await this.send('Page.captureScreenshot', { format: 'png' });
    writeFileSync(path, Buffer.from(data, 'base64'));
  }
}
