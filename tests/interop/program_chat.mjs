// The program `chat`: judged by people with Node's `ws` and with tabs of headless Chromium, on one server, and on two
// that share a real Redis.

import net from 'node:net';
import { begin, check, connect, end, found, same, within } from './helper.mjs';
import { browser } from './program_chat_browser.mjs';
import { ask, chatServer, insist, key, names } from './program_chat_helper.mjs';
import { person, personWhenFree, redisServer, TOKEN } from './program_chat_helper.mjs';

begin('program-chat');

/** The status with which a connection is refused, or 101. */
async function status(after, url, protocols = [], headers = {}) {
  try {
    const ws = await connect(after, url, protocols, { headers });
    same(ws.protocol, protocols.includes('chat') ? 'chat' : '', 'the subprotocol that is selected');
    ws.close();
    return 101;
  } catch (error) {
    const refused = /Unexpected server response: (\d+)/.exec(error.message);
    if (!refused) throw error;
    return Number(refused[1]);
  }
}

const numbered = (what, count, from = 0) => Array.from({ length: count }, (_, i) => `${what} ${from + i}`);

await check('the page, its parts, and what is not there', async (after) => {
  const server = await chatServer(after);
  const http = `http://${server.address}`;
  const get = (path) => within(fetch(http + path, { redirect: 'manual' }), path);
  const page = await get('/');
  same([page.status, page.headers.get('content-type')], [200, 'text/html; charset=utf-8'], 'the page');
  const policy = page.headers.get('content-security-policy');
  found(/^default-src 'none'; script-src 'self'; style-src 'self'/, policy, 'its policy');
  const html = await page.text();
  same(/<script(?! src="\/chat\.js")|<style|\son\w+=/.test(html), false, 'nothing in the page itself runs');
  for (const [path, type] of [['/chat.css', 'text/css'], ['/chat.js', 'text/javascript']]) {
    const part = await get(path);
    same([part.status, part.headers.get('content-type')], [200, `${type}; charset=utf-8`], path);
  }
  for (const path of ['/nothing', '/..%2fCargo.toml', '/?token=wrong&']) {
    same((await get(path)).status, path.startsWith('/?') ? 200 : 404, path);
  }
  const door = await get(`/?token=${TOKEN}`);
  same([door.status, door.headers.get('location')], [303, '/'], 'the address with the token');
  found(new RegExp(`^chat_token=${TOKEN}; HttpOnly; SameSite=Strict`), door.headers.get('set-cookie'), 'the cookie');
  same((await within(fetch(`${http}/`, { method: 'POST', body: 'x' }), 'POST')).status, 405, 'POST');
});

await check('without the token 401, from a foreign origin 403', async (after) => {
  const server = await chatServer(after);
  const url = `ws://${server.address}/ws`;
  same(await status(after, url), 401, 'no token');
  same(await status(after, `${url}?token=${TOKEN}x`), 401, 'a wrong one');
  same(await status(after, url, ['chat', 'token.wrong']), 401, 'a wrong one as a subprotocol');
  same(await status(after, url, [], { Cookie: 'chat_token=' }), 401, 'an empty cookie');
  same(await status(after, `${url}?token=${TOKEN}`, ['chat']), 101, 'in the query');
  same(await status(after, url, [], { Cookie: `a=b; chat_token=${TOKEN}` }), 101, 'in a cookie');
  same(await status(after, url, ['chat', `token.${TOKEN}`]), 101, 'as a subprotocol');
  same(await status(after, url, [], { Authorization: `Bearer ${TOKEN}` }), 101, 'as a bearer');
  same(await status(after, `ws://${server.address}/?token=${TOKEN}`), 404, 'another path');
  for (const [origin, want] of [[`http://${server.address}`, 101], ['http://evil.example', 403], ['null', 403]]) {
    same(await status(after, server.url, [], { Origin: origin }), want, origin);
  }
  const flags = ['--origin', 'https://chat.example', '--origin', 'https://b.example'];
  const listed = await chatServer(after, { flags });
  const [own, like] = [`http://${listed.address}`, 'https://chat.example.evil'];
  for (const [origin, want] of [['https://b.example', 101], [own, 403], [like, 403]]) {
    same(await status(after, listed.url, [], { Origin: origin }), want, `${origin}, where some are listed`);
  }
});

await check('a room: welcome, who is here, messages in order, history of 50', async (after) => {
  const server = await chatServer(after, { flags: ['--messages', '1000'] });
  const ada = await person(after, server, 'Ada');
  same(ada.joined.welcome, 'Welcome to lobby, Ada.', 'the welcome');
  const grace = await person(after, server, ' Gra\u0000ce\u202e ');
  same(names(grace.joined.here), ['Ada', 'Grace'], 'who is here');
  same((await ada.next('join', ({ name }) => name !== 'Ada')).name, 'Grace', 'a notice');
  const early = ada.say('word early');
  await Promise.all([ada.texts(1), grace.texts(1)]);
  const texts = numbered('word', 120);
  await Promise.all([ada.sayAll(texts), grace.texts(120).then((got) => same(got, texts, 'what Grace hears'))]);
  const again = ada.say('only once');
  ada.say('only once', again);
  same((await ada.next('said')).key, again, 'what was said before');
  ada.say('word early', early);
  same((await ada.next('said')).key, early, 'what was said before 120 others');
  ada.say('end');
  same(await grace.texts(2), ['only once', 'end'], 'one key, one message');
  const elsewhere = await person(after, server, 'Lin', 'garden');
  same([elsewhere.joined.history, names(elsewhere.joined.here)], [[], ['Lin']], 'another room');
  const late = await person(after, server, 'Lin');
  same(late.joined.history.map(({ text }) => text), [...texts.slice(-48), 'only once', 'end'], 'the history');
  grace.ws.close();
  same((await ada.next('leave')).name, 'Grace', 'a notice');
  elsewhere.ws.send(JSON.stringify({ type: 'join', name: 'Lin', room: 'lobby' }));
  same(names((await elsewhere.next('joined')).here), ['Ada', 'Lin', 'Lin'], 'who is here after a change of rooms');
});

await check('limits: connections, messages, lengths, what is no request', async (after) => {
  const server = await chatServer(after, { flags: ['--connections', '4', '--messages', '2'] });
  const others = [];
  for (const name of ['Ada', 'Grace', 'Lin']) others.push(await person(after, server, name));
  const fast = await person(after, server, 'Fast');
  same(await status(after, server.url), 429, 'a fifth connection');
  const [ada] = others;
  ada.say('x'.repeat(2001));
  found(/1 to 2000 characters/, (await ada.next('refused')).why, 'a long text');
  fast.ws.send('x'.repeat(40_000));
  same(await fast.next('close'), 1009, 'a longer one');
  const binary = await personWhenFree(after, server, 'Binary');
  binary.ws.send(Buffer.from('binary'));
  same(await binary.next('close'), 1003, 'binary');
  // all from this address share what it may say
  const greedy = others.pop();
  for (let i = 0; i < 30; i += 1) greedy.say(`too much ${i}`);
  found(/too much/, (await greedy.next('notice')).text, 'the notice');
  same(await greedy.next('close'), 1008, 'too many messages');
  same(ada.ws.readyState, 1, 'the others stay');

  const lax = await chatServer(after, { flags: ['--messages', '1000'] });
  const lin = await person(after, lax, 'Lin');
  const escaped = '\\ud83d\\ude00'.repeat(2000);
  lin.ws.send(`{"type":"say","text":"${escaped}","key":"${key()}"}`);
  same(await lin.texts(1), ['\u{1f600}'.repeat(2000)], 'a text as long as may be, all of it escaped');
  const join = (name) => JSON.stringify({ type: 'join', name, room: 'a' });
  for (const request of ['no JSON', '[]', '{"type":"dance"}', join(''), join('n'.repeat(33)), join(7)]) {
    lin.ws.send(request);
    await lin.next('refused');
  }
  for (let i = 0; i < 210; i += 1) {
    lin.ws.send(JSON.stringify({ type: 'join', name: 'Lin', room: `room ${i}` }));
    await lin.next('joined'); // old ones that are empty give way
  }
});

await check('a peer that never reads is dropped, one is reset: the others get all in order', async (after) => {
  const server = await chatServer(after, { flags: ['--messages', '100000'] });
  const [ada, grace] = [await person(after, server, 'Ada'), await person(after, server, 'Grace')];
  const [deaf, dead] = [await person(after, server, 'Deaf'), await person(after, server, 'Dead')];
  await ada.next('join', ({ name }) => name === 'Dead');
  deaf.ws._socket.pause();
  dead.ws.send(JSON.stringify({ type: 'say', text: 'my last words', key: key() }));
  same(await ada.texts(1), ['my last words'], 'the last words');
  same(await grace.texts(1), ['my last words'], 'the last words');
  dead.ws._socket.write(Buffer.from([0x81, 0xfe, 0x10])); // amid a frame
  dead.ws._socket.resetAndDestroy();
  same((await ada.next('leave')).name, 'Dead', 'who is reset');
  let isGone = false;
  ada.ws.on('message', (data) => (isGone ||= /"leave"/.test(data) && /Deaf/.test(data)));
  const long = '\u{1f600}'.repeat(1990);
  let count = 0;
  while (!isGone) {
    same(count < 8000, true, 'the deaf peer is dropped at some time');
    const texts = numbered(long, 40, count);
    count += 40;
    await Promise.all([ada.sayAll(texts), grace.texts(40).then((got) => same(got, texts, 'what Grace hears'))]);
  }
});

await check('SIGTERM: all are closed with 1001, and the program ends', async (after) => {
  const server = await chatServer(after);
  const people = [await person(after, server, 'Ada'), await person(after, server, 'Grace', 'garden')];
  server.child.kill('SIGTERM');
  for (const somebody of people) same(await somebody.next('close'), 1001, 'the close');
  same(await server.exit(), 0, 'the exit status');
});

await check('two servers: one room, one order, presence of the dead ends', async (after) => {
  const redis = await redisServer(after);
  const flags = ['--messages', '1000'];
  const one = await chatServer(after, { redis, flags });
  const two = await chatServer(after, { redis, flags });
  const ada = await person(after, one, 'Ada');
  const grace = await person(after, two, 'Grace');
  same(names(grace.joined.here), ['Ada', 'Grace'], 'who is here');
  same((await ada.next('join', ({ name }) => name === 'Grace')).name, 'Grace', 'a notice');
  const all = Promise.all([ada.texts(600), grace.texts(600)]);
  const speak = async (who, texts) => texts.forEach((text) => who.say(text));
  const [fromAda, fromGrace] = [numbered('ada', 300), numbered('grace', 300)];
  // the rate allows three seconds' worth at once
  await Promise.all([speak(ada, fromAda), speak(grace, fromGrace)]);
  const [atAda, atGrace] = await all;
  same(atAda, atGrace, 'both hear the same, in the same order');
  same(atAda.filter((text) => text.startsWith('ada')), fromAda, 'what Ada said');
  same(atAda.filter((text) => text.startsWith('grace')), fromGrace, 'what Grace said');

  const again = ada.say('only once');
  grace.say('only once', again);
  await ada.texts(1);
  grace.say('end');
  same(await ada.texts(1), ['end'], 'one key, one message');
  const late = await person(after, two, 'Lin');
  same(late.joined.history.map(({ text }) => text), [...atAda.slice(-48), 'only once', 'end'], 'the history');
  two.child.kill('SIGKILL');
  const gone = [await ada.next('leave'), await ada.next('leave')];
  same(names(gone), ['Grace', 'Lin'], 'those on the server that was killed');
  const back = await person(after, await chatServer(after, { redis, flags, listen: two.address }), 'Grace');
  same(names(back.joined.here), ['Ada', 'Grace'], 'who is here');
  same(back.joined.history.at(-1).text, 'end', 'the history is there');
});

await check('Redis cuts connections amid the talk: nothing is lost, doubled or out of order', async (after) => {
  const redis = await redisServer(after);
  const flags = ['--messages', '1000'];
  const [one, two] = [await chatServer(after, { redis, flags }), await chatServer(after, { redis, flags })];
  const [ada, grace] = [await person(after, one, 'Ada'), await person(after, two, 'Grace')];
  const heard = grace.texts(60);
  heard.catch(() => {}); // it is awaited below
  for (const [i, text] of numbered('word', 60).entries()) {
    if (i % 20 === 5) await ask(redis, 'CLIENT KILL TYPE pubsub');
    if (i % 20 === 15) await ask(redis, 'CLIENT KILL TYPE normal');
    await insist(ada, text);
  }
  same(await heard, numbered('word', 60), 'what Grace hears');
  for (let i = 0; i < 3; i += 1) {
    const lin = await person(after, two, 'Lin');
    await ask(redis, 'CLIENT KILL TYPE pubsub');
    await lin.next('status', ({ online }) => !online);
    lin.ws.close(); // mostly before Redis can be told
    await lin.next('close');
    await grace.next('status', ({ online }) => online);
    await insist(ada, 'gone?');
  }
  await insist(ada, 'gone');
  same(names((await person(after, one, 'Late')).joined.here), ['Ada', 'Grace', 'Late'], 'who is here');
  await grace.next('message', ({ text }) => text === 'gone');
  ada.say('end');
  same(await grace.texts(1), ['end'], 'nothing comes twice');
});

await check('Redis is killed and comes back empty: the chat says so, and goes on', async (after) => {
  const redis = await redisServer(after);
  const [one, two] = [await chatServer(after, { redis }), await chatServer(after, { redis })];
  const [ada, grace] = [await person(after, one, 'Ada'), await person(after, two, 'Grace')];
  ada.say('before');
  same(await grace.texts(1), ['before'], 'before');
  redis.child.kill('SIGKILL');
  for (const somebody of [ada, grace]) same((await somebody.next('status')).online, false, 'the notice');
  const by = ada.say('meanwhile');
  const refused = await ada.next('refused');
  same([refused.key, refused.again], [by, true], 'a message meanwhile');
  same(await status(after, one.url), 503, 'a connection meanwhile');
  await redisServer(after, redis.port);
  for (const somebody of [ada, grace]) same((await somebody.next('status')).online, true, 'the notice');
  const three = await chatServer(after, { redis }); // which knows only what Redis tells it
  const here = await person(after, three, 'Lin');
  same(here.joined.history.map(({ text }) => text), ['before'], 'the history is put back');
  same(names(here.joined.here), ['Ada', 'Grace', 'Lin'], 'who is here');
  ada.say('meanwhile', by);
  same(await here.texts(1), ['meanwhile'], 'after');
  same(await grace.texts(1), ['meanwhile'], 'after');
});

await import('./program_chat_limits.mjs');

// these three wait, so they do it at the same time
await Promise.all([
  check('Redis hangs: the chat says so, and goes on when it does', async (after) => {
    const redis = await redisServer(after);
    const [one, two] = [await chatServer(after, { redis }), await chatServer(after, { redis })];
    const [ada, grace] = [await person(after, one, 'Ada'), await person(after, two, 'Grace')];
    const lin = await person(after, two, 'Lin');
    redis.child.kill('SIGSTOP');
    for (const somebody of [ada, grace]) same((await somebody.next('status')).online, false, 'the notice');
    lin.ws.close();
    await lin.next('close');
    const said = insist(ada, 'meanwhile');
    said.catch(() => {}); // it is awaited below
    redis.child.kill('SIGCONT');
    await said;
    same(await grace.texts(1), ['meanwhile'], 'what Grace hears');
    await insist(ada, 'end');
    same(await grace.texts(1), ['end'], 'nothing comes twice');
    const late = await person(after, one, 'Late');
    same(names(late.joined.here), ['Ada', 'Grace', 'Late'], 'who is here: not Lin, who left meanwhile');
  }),

  check('a server that was stopped, and taken for dead, comes back', async (after) => {
    const redis = await redisServer(after);
    const [one, two] = [await chatServer(after, { redis }), await chatServer(after, { redis })];
    const [ada, grace] = [await person(after, one, 'Ada'), await person(after, two, 'Grace')];
    two.child.kill('SIGSTOP');
    await ask(redis, 'CLIENT KILL TYPE pubsub'); // what is said now, it can only hear of later
    await insist(ada, 'while it was stopped');
    same((await ada.next('leave')).name, 'Grace', 'who seems to be gone');
    two.child.kill('SIGCONT');
    same(await grace.texts(1), ['while it was stopped'], 'what Grace hears');
    same((await ada.next('join', ({ name }) => name === 'Grace')).name, 'Grace', 'who is there again');
    await insist(grace, 'back');
    same(names((await person(after, one, 'Lin')).joined.here), ['Ada', 'Grace', 'Lin'], 'who is here');
  }),

  check('deadlines: for a request that drips, for none at all, for a peer that does not answer', async (after) => {
    const flags = ['--handshake', '1.5', '--ping', '0.5', '--pong', '0.5', '--close', '0.5'];
    const server = await chatServer(after, { flags });
    const [ada, dead] = [await person(after, server, 'Ada'), await person(after, server, 'Dead')];
    dead.ws._socket.pause();
    const ends = [[...'GET /ws HTTP/1.1\r\nHost: some.example\r\n'], []].map(async (octets) => {
      const socket = net.connect(Number(server.address.split(':')[1]), '127.0.0.1');
      after(() => socket.destroy());
      const drip = setInterval(() => octets.length > 0 && socket.write(octets.shift()), 100);
      after(() => clearInterval(drip));
      await within(new Promise((resolve) => socket.on('close', resolve).on('error', () => {})), 'the end', 5);
    });
    await Promise.all(ends);
    same((await ada.next('leave')).name, 'Dead', 'who does not answer');
    await insist(ada, 'who answers stays');
  }),
]);

await check('two tabs on two servers: talk, reload, a server killed and back, a script as text', async (after) => {
  const redis = await redisServer(after);
  const one = await chatServer(after, { redis });
  const two = await chatServer(after, { redis });
  const { tab, close } = await browser(after);
  const [ada, grace] = [await tab(one.page), await tab(two.page)];
  same(await ada.value('location.search'), '', 'the token is not in the address');
  await ada.enter('Ada', 'lobby');
  await grace.enter('Grace', 'lobby');
  for (const [somebody, list] of [[ada, ['Ada', 'Grace']], [grace, ['Ada', 'Grace']]]) {
    await somebody.until('document.querySelectorAll("#here li").length === 2', 'both to be here');
    same(await somebody.here(), list, 'who is here');
  }
  const script = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
  const said = ['Hello, Grace', 'Hello, Ada\nand good morning', script];
  await ada.say(said[0]);
  await grace.has(said.slice(0, 1), 'what Ada said');
  await grace.type('text', 'Hello, Ada');
  await grace.press('Enter', 8); // with shift: a new line
  await grace.say('and good morning');
  await ada.has(said.slice(0, 2), 'what Grace said');
  await grace.say(said[2]);
  await ada.has(said, 'a script as text');
  same(await ada.value('document.querySelectorAll("#messages img, #messages script").length'), 0, 'elements');
  same(await ada.value('window.hacked'), undefined, 'what the script would have done');
  await ada.reload();
  await ada.has(said, 'the history after a reload');

  one.child.kill('SIGSTOP');
  await ada.say(said[3] = 'sent, but never read');
  one.child.kill('SIGKILL');
  await ada.until('/Reconnecting/.test(document.getElementById("what").textContent)', 'the page to say that it does');
  await grace.say('while you were away');
  said.splice(3, 0, 'while you were away');
  await grace.has(said.slice(0, 4), 'what Grace said herself');
  await ada.say(said[5] = 'said while away');
  await ada.type('text', 'not said yet');
  await chatServer(after, { redis, listen: one.address });
  for (const somebody of [ada, grace]) await somebody.has(said, 'all, once and in order');
  await ada.until('document.getElementById("what").textContent === "Connected"', 'the page to say so');
  same(await ada.value('document.getElementById("text").value'), 'not said yet', 'what was typed');
  await ada.press('Enter');
  said.push('not said yet');
  for (const somebody of [ada, grace]) await somebody.has(said, 'the talk goes on');

  const dark = 'getComputedStyle(document.body).backgroundColor';
  const before = await ada.value(dark);
  await ada.value('document.getElementById("theme").click()');
  same((await ada.value(dark)) === before, false, 'light and dark');
  await ada.send('Emulation.setDeviceMetricsOverride', { width: 320, height: 560, deviceScaleFactor: 2, mobile: true });
  const box = 'document.getElementById("text").getBoundingClientRect()';
  const fits = `[document.documentElement.scrollWidth, document.documentElement.scrollHeight, ${box}.bottom < 560]`;
  same(await ada.value(fits), [320, 560, true], 'the page on a phone');

  two.child.kill('SIGTERM');
  await grace.until('/restarting/.test(document.getElementById("what").textContent)', 'the page to say so');
  same([...ada.problems, ...grace.problems], [], 'problems of the pages');
  await close();
});

end();
