// A chat server, a Redis, and people who chat by Node's `ws`.

import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { connect, Program, within } from './helper.mjs';

export const TOKEN = 'a-token.of_the~tests';

/** A chat server on a free port, or on that of `listen`, listening and, if it has to be, connected to Redis. */
export async function chatServer(after, { listen = '127.0.0.1:0', redis, flags = [] } = {}) {
  const args = ['--listen', listen, '--token', TOKEN, ...(redis ? ['--redis', redis.url] : []), ...flags];
  const program = new Program(after, `${process.env.PROGRAMS}/chat`, args);
  const line = await program.line('its address');
  const address = /^listening on ws:\/\/(127\.0\.0\.1:\d+)$/.exec(line);
  if (!address) throw new Error(`no address in its first line: ${line}`);
  await program.line('the address to open');
  if (redis) await program.line('that it is connected to Redis');
  program.address = address[1];
  program.page = `http://${address[1]}/?token=${TOKEN}`;
  program.url = `ws://${address[1]}/ws?token=${TOKEN}`;
  return program;
}

/** A Redis that keeps nothing on a disk, on a free port or on that of one before it. */
export async function redisServer(after, before) {
  const kept = ['--save', '', '--appendonly', 'no', '--dir', '/'];
  for (let attempts = 1; ; attempts += 1) {
    const port = before ?? (await freePort());
    const program = new Program(after, 'redis-server', ['--port', `${port}`, '--bind', '127.0.0.1', ...kept]);
    try {
      while (!/Ready to accept connections/.test(await program.line('that it is ready')));
      return Object.assign(program, { port, url: `redis://127.0.0.1:${port}/` });
    } catch (error) {
      if (attempts === 5) throw error; // a port that was free may be taken a moment later
    }
  }
}

/** The answer of a Redis to one command, as it is on the wire. */
export async function ask(redis, command) {
  const socket = net.connect(redis.port, '127.0.0.1');
  const answer = new Promise((resolve, reject) => {
    socket.setEncoding('utf8').on('data', resolve).on('error', reject);
  });
  socket.write(`${command}\r\n`);
  return within(answer, `the answer to ${command}`).finally(() => socket.destroy());
}

async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export const key = () => randomBytes(12).toString('hex');

/** Somebody in a room, with what he has got to see there since: `history` first. */
export async function person(after, server, name, room = 'lobby') {
  const ws = await connect(after, server.url, ['chat']);
  const somebody = new Person(ws);
  ws.send(JSON.stringify({ type: 'join', name, room }));
  somebody.joined = await somebody.next('joined');
  return somebody;
}

export class Person {
  constructor(ws) {
    this.ws = ws;
  }

  /** The next news. */
  async any() {
    const { text, close, error } = await this.ws.next('any news');
    if (text === undefined) throw new Error(`closed with ${close ?? error}`);
    return JSON.parse(text);
  }

  /** The next news of this type (`close` is the code of the Close); what comes before it is passed over. */
  async next(type, is = () => true) {
    for (;;) {
      const { text, close, error } = await this.ws.next(`news of type ${type}`);
      if (type === 'close' && close !== undefined) return close;
      if (text === undefined) throw new Error(`closed with ${close ?? error} instead of ${type}`);
      const news = JSON.parse(text);
      if (news.type === type && is(news)) return news;
    }
  }

  say(text, by = key()) {
    this.ws.send(JSON.stringify({ type: 'say', text, key: by }));
    return by;
  }

  /** The texts of the next messages. */
  async texts(count) {
    const texts = [];
    while (texts.length < count) texts.push((await this.next('message')).text);
    return texts;
  }

  /** Says all of it, some at a time, and waits until it has come back. */
  async sayAll(texts, atOnce = 40) {
    for (let i = 0; i < texts.length; i += atOnce) {
      const some = texts.slice(i, i + atOnce);
      some.forEach((text) => this.say(text));
      await this.texts(some.length);
    }
  }
}

/** The names of those in a list, in order. */
export const names = (list) => list.map(({ name }) => name).sort();

/** Somebody who comes when there is a place again: the server frees it a moment after the one before has left. */
export async function personWhenFree(after, server, name) {
  for (;;) {
    try {
      return await person(after, server, name);
    } catch (error) {
      if (!/response: 429/.test(error.message)) throw error;
    }
  }
}

/** Says something until it has come back: as a page, again whenever the servers are in touch again. */
export async function insist(who, text) {
  const by = who.say(text);
  for (;;) {
    const news = await who.any();
    if (news.type === 'message' && news.key === by) return;
    if (news.type === 'status' && news.online) who.say(text, by);
  }
}
