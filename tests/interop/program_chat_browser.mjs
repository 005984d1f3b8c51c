// People in a headless Chromium, with a tab each.

import { writeFileSync } from 'node:fs';
import * as devtools from './devtools.mjs';
import { same, within } from './helper.mjs';

/** A browser whose tabs have the page of the chat. */
export const browser = (after) => devtools.browser(after, { kind: Tab });

class Tab extends devtools.Tab {
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
