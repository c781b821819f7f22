import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const command = [process.execPath, 'dist/bin.js', 'config', 'print', '--json'];
const env = { PATH: process.env['PATH'], HOME: '/nonexistent', ORPHAND_PORTS: '1-1024' };
const whole = spawnSync(command[0]!, command.slice(1), { env, encoding: 'utf8' }).stdout;

/** Runs the command with a pipe of one page as its output; what its reader, which is slow, does with that is `read`. */
function throughPipe(isBlocking: boolean, read: string) {
  const script = `
import fcntl, json, os, subprocess, sys, time
reader, writer = os.pipe()
fcntl.fcntl(writer, 1031, 4096) # F_SETPIPE_SZ
os.set_blocking(writer, ${isBlocking ? 'True' : 'False'})
child = subprocess.Popen(json.loads(sys.argv[1]), stdout=writer)
os.close(writer)
time.sleep(0.3)
${read}
sys.exit(child.wait())
`;
  return spawnSync('python3', ['-c', script, JSON.stringify(command)], { env, encoding: 'utf8' });
}

const readAll = `
while data := os.read(reader, 1024):
    sys.stdout.buffer.write(data)
    time.sleep(0.0002)
sys.stdout.flush()`;

for (const isBlocking of [true, false]) {
  t.test(`all of it goes through a full pipe that is ${isBlocking ? '' : 'non-'}blocking`, (t) => {
    const { status, stdout, stderr } = throughPipe(isBlocking, readAll);
    t.equal(stderr, '');
    t.equal(status, 0);
    t.ok(whole.length > 65_536);
    t.ok(stdout === whole, `${stdout.length} of ${whole.length} characters`);
    t.end();
  });
}

t.test('a reader that has seen enough is no failure', (t) => {
  const { status, stderr } = throughPipe(true, 'os.read(reader, 10)\nos.close(reader)');
  t.equal(stderr, '');
  t.equal(status, 0);
  t.end();
});

t.test('all of it goes into a file, behind what is there', (t) => {
  const folder = mkdtempSync('/tmp/orphand-output-');
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, 'out');
  const fd = openSync(file, 'a');
  for (let round = 0; round < 2; round += 1)
    spawnSync(command[0]!, command.slice(1), { env, stdio: ['ignore', fd, 'inherit'] });
  closeSync(fd);
  t.ok(readFileSync(file, 'utf8') === whole + whole);
  t.end();
});
