// What many at once, damaged keys of Redis, and limits do to the program `chat`.

import { readFileSync } from 'node:fs';
import { check, connect, same } from './helper.mjs';
import { browser } from './program_chat_browser.mjs';
import { ask, chatServer, insist, names, Person, person, personWhenFree, redisServer } from './program_chat_helper.mjs';

await check('300 come into one new room by way of Redis at the same time: all are let in', async (after) => {
  const redis = await redisServer(after);
  const server = await chatServer(after, { redis, flags: ['--connections', '1000'] });
  const opened = Array.from({ length: 300 }, () => connect(after, server.url, ['chat']));
  const people = (await Promise.all(opened)).map((ws) => new Person(ws));
  await ask(redis, 'CLIENT PAUSE 1000'); // so that all of them wait at the same time
  people.forEach(({ ws }, i) => ws.send(JSON.stringify({ type: 'join', name: `Person ${i}`, room: 'new' })));
  const first = async (somebody) => (await somebody.any()).type;
  const types = await Promise.all(people.map(first));
  same(types.filter((type) => type !== 'joined'), [], 'who is not let in');
  await insist(people[0], 'all here');
  same((await person(after, server, 'Late', 'new')).joined.here.length, 301, 'how many are here');
});

await check('keys of Redis are damaged: only their rooms are out of order', async (after) => {
  const redis = await redisServer(after);
  const server = await chatServer(after, { redis });
  const ada = await person(after, server, 'Ada');
  await insist(ada, 'before');
  await ask(redis, 'SET chat:history:string x');
  await ask(redis, 'SET chat:here:nobody x');
  const lin = new Person(await connect(after, server.url, ['chat']));
  for (const room of ['string', 'nobody']) {
    lin.ws.send(JSON.stringify({ type: 'join', name: 'Lin', room }));
    const { key: none, why, again } = await lin.next('refused');
    same([none, why, again], [null, 'what is stored of this room is damaged', false], room);
  }
  await ask(redis, 'RPUSH chat:history:lobby "\\xff\\xfe" "no event" "5 {}"');
  await ask(redis, 'HSET chat:here:lobby "\\xff" "\\xfe"');
  await ask(redis, 'PUBLISH chat:events "\\xff\\xfe"');
  await ask(redis, 'HSET chat:members:dead somebody nobody');
  await ask(redis, 'ZADD chat:servers 1 dead'); // who has to be seen to
  lin.ws.send(JSON.stringify({ type: 'join', name: 'Lin', room: 'lobby' }));
  await lin.next('joined');
  const grace = await person(after, await chatServer(after, { redis }), 'Grace');
  same(grace.joined.history.map(({ text }) => text), ['before'], 'what is whole of the history');
  same(names(grace.joined.here), ['Ada', 'Grace', 'Lin'], 'who is here');
  const heard = [];
  for (const somebody of [ada, grace]) {
    const by = somebody.say('after');
    for (let news; (news = await ada.any()).key !== by;) heard.push(news.type);
  }
  same(heard.filter((type) => !['join', 'leave'].includes(type)), [], 'what else Ada hears: no loss of touch');
});

await check('memory comes back, and a peer that says nothing by single octets is idle', async (after) => {
  // one heap for all threads: what each of several keeps for the next time would hide what is lost
  process.env.MALLOC_ARENA_MAX = '1';
  const server = await chatServer(after, { flags: ['--messages', '100000', '--idle', '2'] });
  delete process.env.MALLOC_ARENA_MAX;
  const drip = await connect(after, server.url, ['chat']);
  const octets = [0x81, 0xfe, 0x10, 0, 1, 2, 3, 4];
  const timer = setInterval(() => drip._socket.write(Buffer.from([octets.shift() ?? 0x20])), 50);
  after(() => clearInterval(timer));
  const idle = drip.next('the close');
  const wave = async () => {
    const people = [];
    for (let i = 0; i < 49; i += 1) people.push(await personWhenFree(after, server, `Person ${i}`));
    await Promise.all(people.map((somebody) => somebody.say('\u{1f600}'.repeat(1990))));
    await Promise.all(people.map((somebody) => somebody.texts(49)));
    for (const somebody of people) somebody.ws.close();
    for (const somebody of people) await somebody.next('close');
    const status = readFileSync(`/proc/${server.child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024;
  };
  const resident = [await wave(), await wave(), await wave()];
  same(resident[2] - resident[0] < 4, true, `less than 4 MiB more than ${resident}`);
  same((await idle).close, 1001, 'the close of the idle peer');
  await person(after, server, 'Ada');
});

/** The octets that wait in the system of a server to be sent to a client. */
function waiting(server, client) {
  const hex = (port) => `:${Number(port).toString(16).toUpperCase().padStart(4, '0')}`;
  const ends = new RegExp(`${hex(server.address.split(':')[1])} \\w+${hex(client._socket.localPort)} \\w+ (\\w+):`);
  return parseInt(ends.exec(readFileSync('/proc/net/tcp', 'utf8'))[1], 16);
}

await check('a peer that is slow to read, and lets hear from it, is not taken for dead', async (after) => {
  const flags = ['--messages', '100000', '--ping', '0.5', '--pong', '0.5'];
  const server = await chatServer(after, { flags });
  const [ada, slow] = [await person(after, server, 'Ada'), await person(after, server, 'Slow')];
  slow.ws._socket.pause();
  const alive = setInterval(() => slow.ws.pong(), 100);
  after(() => clearInterval(alive));
  const long = '\u{1f600}'.repeat(1990);
  let count = 0;
  for (let [before, now] = [-1, 0]; now === 0 || now !== before; [before, now] = [now, waiting(server, slow.ws)]) {
    await ada.sayAll(Array.from({ length: 40 }, (_, i) => `${long} ${count + i}`));
    count += 40;
  }
  for (let pings = 0; pings < 4; pings += 1) await new Promise((resolve) => ada.ws.once('ping', resolve));
  slow.ws._socket.resume();
  same((await slow.texts(count)).at(-1), `${long} ${count - 1}`, 'the last that it hears');
  await insist(slow, 'it stays');
});

await check('a tab that is not let into a room, as too much was said, tries again', async (after) => {
  const server = await chatServer(after, { flags: ['--messages', '1'] });
  const { tab, close } = await browser(after);
  const ada = await tab(server.page);
  await ada.enter('Ada', 'lobby');
  const lin = await person(after, server, 'Lin');
  for (let i = 0; i < 4; i += 1) lin.say('much');
  await lin.next('refused');
  await ada.type('other-room', 'garden');
  await ada.press('Enter');
  await ada.until('document.title === "garden \u00b7 Chat"', 'Ada to be in the other room');
  same(await ada.here(), ['Ada'], 'who is here');
  same(ada.problems, [], 'problems of the page');
  await close();
});
