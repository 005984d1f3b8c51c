// The page of the chat. What others say is only ever put in as text.

const $ = (id) => document.getElementById(id);
const MOST_SHOWN = 500; // messages and notices
const PAUSE = { first: 500, most: 20_000 }; // milliseconds before the next attempt to connect, or to come in

// what this tab keeps over a reload; a browser may refuse to
const kept = {
  get: (key) => { try { return sessionStorage.getItem(key); } catch { return null; } },
  set: (key, value) => { try { sessionStorage.setItem(key, value); } catch { /* then not */ } },
};

let socket;
let attempts = 0; // that failed since the last success
let wasOpen = false; // ever
let online = true; // the servers are in touch
let timer;
let me; // our member, as the server calls us
let name = kept.get('name') ?? '';
let room = kept.get('room') ?? 'lobby'; // where we are, or were last
let wanted = room; // where we want to be
let refusals = 0; // since we were let in
let retry; // timer of the next attempt
let shownRoom; // whose messages are on the page
let last = 0; // number of the last message there
const here = new Map(); // member to name
const outbox = new Map(); // key to { text, room, item } of what the server has not confirmed
let sent; // key of that of them which is on its way
const rooms = new Set(['lobby', ...JSON.parse(kept.get('rooms') ?? '[]')]);
const mine = new Set(JSON.parse(kept.get('mine') ?? '[]')); // keys of what was said here

function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// ---- the connection

function connect() {
  clearTimeout(timer);
  if (attempts === 0) status('waiting', 'Connecting…');
  else $('when').textContent = `now, attempt ${attempts + 1}`;
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  socket = new WebSocket(`${scheme}://${location.host}/ws`, ['chat']);
  socket.addEventListener('open', () => {
    wasOpen = true;
    online = true;
    join();
  });
  socket.addEventListener('message', (event) => receive(JSON.parse(event.data)));
  socket.addEventListener('close', (event) => {
    socket = undefined;
    here.clear();
    showHere();
    const why = { 1001: 'The server is restarting', 1008: 'The server closed the connection' }[event.code];
    const never = 'The server cannot be reached, or the link lacks its token';
    reconnect(why ?? (wasOpen ? 'The connection is lost' : never), event.code);
  });
}

/** Tries again after a pause that doubles each time, of which a random part is left out, lest all come at once. */
function reconnect(why, code) {
  const most = Math.min(PAUSE.most, PAUSE.first * 2 ** attempts);
  let pause = most / 2 + Math.random() * (most / 2);
  if (code === 1008) pause = Math.max(pause, 5000);
  attempts += 1;
  const until = Date.now() + pause;
  const count = () => {
    const seconds = Math.ceil((until - Date.now()) / 1000);
    if (seconds <= 0) return connect();
    status('trouble', `${why}. Reconnecting…`, `in ${seconds} s`);
    timer = setTimeout(count, Math.min(1000, until - Date.now()));
  };
  count();
}

window.addEventListener('online', () => { if (name && shownRoom !== undefined && !socket) connect(); });

function send(request) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(request));
}

function join() {
  clearTimeout(retry);
  me = undefined;
  sent = undefined;
  send({ type: 'join', room: wanted, name });
}

// ---- what the server says

const handlers = {
  joined(answer) {
    attempts = 0;
    refusals = 0;
    online = true;
    me = answer.member;
    room = answer.room;
    wanted = room;
    name = answer.name;
    kept.set('name', name);
    kept.set('room', room);
    rooms.add(room);
    kept.set('rooms', JSON.stringify([...rooms].slice(-12)));
    if (shownRoom !== room) {
      $('messages').replaceChildren();
      last = 0;
      shownRoom = room;
      notice(answer.welcome);
    }
    // who reconnects has most of them already
    answer.history.forEach(handlers.message);
    handlers.here(answer);
    showRooms();
    showState();
    sendNext();
  },
  message(message) {
    if (message.id <= last) return;
    last = message.id;
    settle(message.key);
    show(message);
    if (me !== undefined) sendNext();
  },
  join(member) {
    here.set(member.member, member.name);
    showHere();
    if (member.member !== me) notice(`${member.name} has come in`);
  },
  leave(member) {
    here.delete(member.member);
    showHere();
    notice(`${member.name} has left`);
  },
  here(list) {
    here.clear();
    for (const member of list.here) here.set(member.member, member.name);
    showHere();
  },
  status(news) {
    online = news.online;
    showState();
    sent = undefined;
    sendNext();
  },
  said(news) {
    settle(news.key);
    sendNext();
  },
  notice(news) {
    notice(news.text);
  },
  refused(refusal) {
    if (refusal.key === null && me === undefined) return notLetIn(refusal);
    if (refusal.again) {
      // if the servers have lost touch, they will say when it is over; if it was too much at once, it soon is
      sent = undefined;
      setTimeout(sendNext, 1500);
      return;
    }
    const text = settle(refusal.key);
    if (text !== undefined) draft([text, $('text').value].filter(Boolean).join('\n'));
    notice(`Not done: ${refusal.why}.`);
    sendNext();
  },
};

/** Tries to come in again later, or goes back to where we were. */
function notLetIn({ why, again }) {
  if (refusals === 0 || !again) notice(`Not let into ${wanted}: ${why}.`);
  status('trouble', `Not let into ${wanted}: ${why}`);
  if (again) {
    const most = Math.min(PAUSE.most, 2 * PAUSE.first * 2 ** refusals);
    refusals += 1;
    clearTimeout(retry);
    retry = setTimeout(join, most / 2 + Math.random() * (most / 2));
  } else if (wanted !== room && shownRoom !== undefined) {
    wanted = room;
    join();
  }
}

function receive(news) {
  handlers[news.type]?.(news);
}

/** Forgets what was to be sent, as the server has it or does not want it; its text. */
function settle(key) {
  const settled = outbox.get(key);
  if (!settled) return undefined;
  settled.item.remove();
  outbox.delete(key);
  keepOutbox();
  if (sent === key) sent = undefined;
  return settled.text;
}

/** Sends the first that was not confirmed, again if need be: the server knows by its key whether it has had it. */
function sendNext() {
  for (const [, { item, room: where }] of outbox) if (where === room && !item.isConnected) add(item);
  const next = [...outbox].find(([, { room: where }]) => where === room);
  if (!next || sent !== undefined || me === undefined || !online) return;
  const [key, { text }] = next;
  sent = key;
  send({ type: 'say', text, key });
}

// ---- what is on the page

/** What is announced changes seldom; `when` is only seen. */
function status(state, text, when = '') {
  $('status').dataset.state = state;
  if ($('what').textContent !== text) $('what').textContent = text;
  $('when').textContent = when;
}

function showState() {
  if (online) status('open', 'Connected');
  else status('trouble', 'The servers have lost touch. What you send goes out when they are back');
}

function add(item) {
  const list = $('messages');
  const pending = list.querySelector('.pending');
  if (pending && !item.classList.contains('pending')) list.insertBefore(item, pending);
  else list.append(item);
  while (list.children.length > MOST_SHOWN) list.firstChild.remove();
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}

// who is reading the last message goes on doing so, also when the keyboard of a phone comes up
let isAtEnd = true;
$('messages').addEventListener('scroll', ({ target: list }) => {
  isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
});
new ResizeObserver(() => {
  if (isAtEnd) $('messages').scrollTop = $('messages').scrollHeight;
}).observe($('messages'));

function element(tag, text, className = '') {
  const node = document.createElement(tag);
  node.textContent = text;
  node.className = className;
  return node;
}

function notice(text) {
  add(element('li', text, 'notice'));
}

function show({ name: from, text, at, key }) {
  const isMine = mine.has(key);
  const item = element('li', '', isMine ? 'message mine' : 'message');
  const time = new Date(at);
  const head = document.createElement('header');
  const who = element('strong', from);
  who.style.setProperty('--name', colour(from));
  const when = element('time', time.toLocaleTimeString([], { hour: 'numeric', minute: '2-digit' }));
  when.dateTime = time.toISOString();
  when.title = time.toLocaleString();
  head.append(who, when);
  const body = element('p', text);
  body.dir = 'auto';
  item.append(head, body);
  const before = [...$('messages').children].findLast((other) => !other.classList.contains('pending'));
  const isSame = before?.dataset.from === from && before.dataset.mine === String(isMine);
  const follows = isSame && at - Number(before.dataset.at) < 120_000;
  item.classList.toggle('follows', follows);
  Object.assign(item.dataset, { from, at, mine: isMine });
  add(item);
}

/** A colour for a name, the same on all pages. */
function colour(text) {
  let hash = 2166136261; // FNV-1a
  for (const char of text) hash = Math.imul(hash ^ char.codePointAt(0), 16777619);
  const hue = (hash >>> 0) % 360;
  return `light-dark(hsl(${hue} 60% 34%), hsl(${hue} 60% 72%))`;
}

function showHere() {
  const list = [...here].sort(([, a], [, b]) => a.localeCompare(b));
  $('here').replaceChildren(...list.map(([member, who]) => element('li', who, member === me ? 'you' : '')));
  $('count').textContent = list.length > 0 ? `· ${list.length}` : '';
}

function showRooms() {
  $('room-title').textContent = room;
  document.title = `${room} · Chat`;
  $('rooms').replaceChildren(...[...rooms].sort().map((other) => {
    const item = document.createElement('li');
    const button = element('button', other);
    button.type = 'button';
    if (other === room) button.setAttribute('aria-current', 'true');
    button.addEventListener('click', () => enter(other));
    item.append(button);
    return item;
  }));
}

function draft(text) {
  $('text').value = text;
  kept.set('draft', text);
  grow();
}

function grow() {
  $('text').style.height = 'auto';
  $('text').style.height = `${$('text').scrollHeight + 2}px`;
}

function keepOutbox() {
  kept.set('outbox', JSON.stringify([...outbox].map(([key, { text, room: where }]) => [key, { text, room: where }])));
}

function pending(key, text, where) {
  const item = element('li', '', 'message mine pending');
  item.append(element('p', text));
  outbox.set(key, { text, room: where, item });
  return item;
}

// ---- what the person does

function enter(other) {
  if (!other || (other === room && me !== undefined)) return;
  wanted = other;
  refusals = 0;
  join();
}

$('door').addEventListener('submit', (event) => {
  event.preventDefault();
  name = $('name').value.trim();
  room = $('room').value.trim();
  wanted = room;
  if (!name || !room) return;
  $('door').hidden = true;
  $('chat').hidden = false;
  showRooms();
  connect();
  $('text').focus();
});

$('other').addEventListener('submit', (event) => {
  event.preventDefault();
  enter($('other-room').value.trim());
  $('other-room').value = '';
});

$('say').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = $('text').value.trimEnd();
  if (text.trim() === '') return;
  const key = randomKey();
  mine.add(key);
  kept.set('mine', JSON.stringify([...mine].slice(-MOST_SHOWN)));
  add(pending(key, text, room));
  $('messages').scrollTop = $('messages').scrollHeight; // where the answers will be
  keepOutbox();
  draft('');
  sendNext();
});

$('text').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $('say').requestSubmit();
});
$('text').addEventListener('input', () => {
  kept.set('draft', $('text').value);
  grow();
});

$('theme').addEventListener('click', () => {
  const isDark = getComputedStyle(document.documentElement).colorScheme === 'dark'
    || (!document.documentElement.dataset.theme && matchMedia('(prefers-color-scheme: dark)').matches);
  theme(isDark ? 'light' : 'dark');
});

function theme(choice) {
  document.documentElement.dataset.theme = choice;
  try { localStorage.setItem('theme', choice); } catch { /* then not */ }
}

let chosen = null;
try { chosen = localStorage.getItem('theme'); } catch { /* then by the system */ }
if (chosen === 'light' || chosen === 'dark') theme(chosen);

for (const [key, { text, room: where }] of JSON.parse(kept.get('outbox') ?? '[]')) pending(key, text, where);
$('name').value = name;
$('room').value = room;
draft(kept.get('draft') ?? '');
if (name) $('door').requestSubmit();
