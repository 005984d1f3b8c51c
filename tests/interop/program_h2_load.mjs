// The program in examples/h2 under load: a restart, peers that never read, lines
// that nobody reads.

import net from 'node:net';
import { check, echoes, MEBIBYTE, Queue, same, within } from './helper.mjs';
import { connect, open } from './program_h2_client.mjs';
import { resident, says, serve } from './program_h2_server.mjs';

export async function load() {
  await check('a restart under load: 1001 for all, who reconnect and go on; nothing is lost between', async (after) => {
    let server = await serve(after);
    const working = new Queue();
    let isStopping = false;
    // sends numbers, some ahead of their echoes, and those again that were not echoed before the close
    const client = async () => {
      let opens = 0;
      for (let next = 0; ; ) {
        const ws = await connect(after, server).then((session) => open(after, session)).catch(() => null);
        if (ws === null) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          continue;
        }
        opens += 1;
        for (let [sent, mark] = [next, next + 50]; ; next += 1) {
          for (; sent < next + 10 && !isStopping; sent += 1) ws.send(`${sent} ${'x'.repeat(sent % 5000)}`);
          if (next === sent) {
            ws.close(1000); // all is echoed
            same(await ws.next('the close'), { close: 1000 }, 'close');
            return opens;
          }
          const item = await ws.next('an echo');
          if (item.close) {
            same(item, { close: 1001 }, 'close');
            break;
          }
          same(item, { text: `${next} ${'x'.repeat(next % 5000)}` }, 'echo');
          if (next === mark) working.push();
        }
      }
    };
    const clients = Promise.all(Array.from({ length: 8 }, client));
    const areWorking = async () => {
      for (let count = 0; count < 8; count += 1) await Promise.race([working.next('a client to be at work'), clients]);
    };
    await areWorking();
    for (let restart = 0; restart < 2; restart += 1) {
      const { child, port } = server;
      child.kill('SIGTERM');
      same(await server.exit(), 0, 'exit status');
      server = await serve(after, '--listen', `127.0.0.1:${port}`);
      await areWorking();
    }
    isStopping = true;
    same(await within(clients, 'the clients to end'), Array(8).fill(3), 'connections of each');
  });

  await check('the memory that peers took who never read is there for the next', async (after) => {
    const server = await serve(after, '--write', '1');
    const wave = async () => {
      const session = await connect(after, server);
      const greedy = await Promise.all(Array.from({ length: 50 }, () => open(after, session)));
      for (const ws of greedy) {
        ws.pause();
        ws.send(MEBIBYTE);
      }
      for (const _ of greedy) await says(server, /^closed .* not clean: the peer does not read/);
      session.destroy();
      await says(server, /^l(ost|eft) /);
    };
    await wave();
    const first = resident(server, 'VmHWM');
    for (let waves = 0; waves < 3; waves += 1) await wave();
    const grown = resident(server, 'VmHWM') - first;
    same(grown < 6 << 20, true, `memory has grown by ${grown >> 10} KiB`);
  });

  await check('a server whose lines nobody reads serves on', async (after) => {
    const server = await serve(after);
    server.child.stdout.pause();
    const short = () => {
      const socket = net.connect(server.port, '127.0.0.1').on('error', () => {}).resume();
      after(() => socket.destroy());
      socket.write('GET / HTTP/1.1\r\n\r\n');
      return within(new Promise((resolve) => socket.on('close', resolve)), 'the end of a short connection');
    };
    for (let round = 0; round < 30; round += 1) await Promise.all(Array.from({ length: 50 }, short));
    await echoes(await open(after, await connect(after, server)), 'still here', 'text');
    server.child.kill('SIGTERM');
    await within(new Promise((resolve) => server.child.on('exit', resolve)), 'the end of the program', 10);
  });
}
