// The program in examples/h2: to start it, to read its lines, to measure its memory.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { interopDir, Program } from './helper.mjs';

const folder = mkdtempSync(`${interopDir}/h2-`);
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
let servers = 0;

/** Our server on a free port, with its certificate in `ca`. */
export async function serve(after, ...args) {
  const file = `${folder}/${(servers += 1)}.pem`;
  const listen = args.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
  const program = new Program(after, `${process.env.PROGRAMS}/h2`, ['--write-cert', file, ...listen, ...args]);
  const line = await program.line('its address');
  const address = /^listening on https:\/\/127\.0\.0\.1:(\d+)$/.exec(line);
  if (!address) throw new Error(`no address in its first line: ${line}`);
  return Object.assign(program, { port: Number(address[1]), ca: readFileSync(file) });
}

/** What the pattern finds in the next of the server's lines that has it. */
export async function says(server, pattern) {
  for (;;) {
    const match = pattern.exec(await server.line(`a line with ${pattern}`));
    if (match) return match;
  }
}

/** Octets of memory that the process has, now (`VmRSS`) or at most so far (`VmHWM`). */
export function resident({ child }, which = 'VmRSS') {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return 1024 * Number(new RegExp(`${which}:\\s+(\\d+) kB`).exec(status)[1]);
}
