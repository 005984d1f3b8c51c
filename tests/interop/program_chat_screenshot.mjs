// Takes the picture for the README: PROGRAMS, INTEROP_DIR and CHROMIUM as `run` sets them, then
// `node program_chat_screenshot.mjs FOLDER`.

import { browser } from './program_chat_browser.mjs';
import { chatServer } from './program_chat_helper.mjs';

const folder = process.argv[2];
const undo = [];
const after = (action) => undo.push(action);
try {
  const server = await chatServer(after);
  const { tab, close } = await browser(after);
  const ada = await tab(server.page);
  await ada.enter('Ada', 'garden');
  for (const room of ['books', 'lobby']) {
    await ada.type('other-room', room);
    await ada.press('Enter');
    await ada.until(`document.title.startsWith('${room}')`, `the room ${room}`);
    await ada.until('document.querySelectorAll("#here li").length === 1', 'to be there');
  }
  const grace = await tab(server.page);
  await grace.enter('Grace', 'lobby');
  const lin = await tab(server.page);
  await lin.enter('Lin', 'lobby');
  const talk = [
    [ada, 'Good morning, everyone! Who is coming to the lake on Sunday?'],
    [grace, 'Me! I will bring the big blanket and a thermos of tea.'],
    [lin, 'Count me in!'],
    [lin, 'Is there a train around ten?'],
    [ada, '9:52 from the main station. I looked it up:\n34 minutes, and then a short walk through the woods.'],
    [grace, 'Perfect. Lin, could you take the chess board along? I want my revenge.'],
    [lin, 'Of course. You will need more than tea for that 😄'],
  ];
  const said = [];
  for (const [who, text] of talk) {
    await who.say(text);
    said.push(text);
    for (const other of [ada, grace, lin]) await other.has(said, 'the talk');
  }
  await ada.screenshot(`${folder}/light.png`, 1100, 780, 'light');
  await ada.screenshot(`${folder}/dark.png`, 1100, 780, 'dark');
  await grace.screenshot(`${folder}/phone-light.png`, 390, 760, 'light', true);
  await grace.screenshot(`${folder}/phone-dark.png`, 390, 760, 'dark', true);
  await close();
} finally {
  undo.reverse().forEach((action) => action());
}
process.exit();
