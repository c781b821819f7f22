// Real containers for the bench, in a podman store of its own (test/helpers/lab has the same for tests, with much more).
import { spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Containers with busybox's web server on the host's network, in a folder of the caller's. Throws where podman can't. */
export function containersOf(work) {
  const folder = join(work, 'podman');
  const root = join(folder, 'image');
  for (const name of ['bin', 'etc', 'proc', 'sys', 'dev', 'tmp', 'app', 'run'])
    mkdirSync(join(root, name), { recursive: true });
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
  for (const applet of ['sh', 'httpd']) symlinkSync('busybox', join(root, 'bin', applet));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n');
  writeFileSync(join(root, 'app/index.html'), 'ok\n');
  writeFileSync(
    join(folder, 'containers.conf'),
    [
      '[containers]',
      'pids_limit = 0',
      'default_ulimits = ["nofile=10000:10000", "nproc=1000:1000"]',
      '[engine]',
      'cgroup_manager = "cgroupfs"',
      'runtime = "runc"',
      `tmp_dir = "${folder}/tmp"`,
      '',
    ].join('\n'),
  );
  writeFileSync(
    join(folder, 'storage.conf'),
    `[storage]\ndriver = "overlay"\ngraphroot = "${folder}/store"\nrunroot = "${folder}/run"\n`,
  );
  const env = {
    PATH: process.env.PATH,
    HOME: '/root',
    CONTAINERS_CONF: join(folder, 'containers.conf'),
    CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf'),
  };
  const run = (command, args) => spawnSync(command, args, { env, encoding: 'utf8', timeout: 60_000 });
  const must = (command, args) => {
    const { status, stdout, stderr, error } = run(command, args);
    if (status !== 0) throw error ?? new Error(`${command} ${args[0]}: ${stderr}`);
    return stdout.trim();
  };
  must('tar', ['-C', root, '-c', '-f', join(folder, 'image.tar'), '.']);
  must('podman', ['import', join(folder, 'image.tar'), 'localhost/bb']);
  let count = 0;
  return {
    /** Starts one; `end` ends what is left of it, without its supervisor too. */
    start(port) {
      const name = `bench-${++count}`;
      const server = ['httpd', '-f', '-p', String(port), '-h', '/app'];
      const id = must('podman', [
        'run',
        '-d',
        '--name',
        name,
        '--network',
        'host',
        'localhost/bb',
        ...server,
      ]);
      appendFileSync(join(work, 'cgroups'), `libpod-${id}\nlibpod-conmon-${id}\n`);
      const [init, conmon] = must('podman', [
        'inspect',
        name,
        '--format',
        '{{.State.Pid}} {{.State.ConmonPid}}',
      ])
        .split(' ')
        .map(Number);
      return {
        conmon,
        end() {
          process.kill(init, 'SIGKILL');
          // Twice: after a kill of conmon the first one only notices.
          for (let round = 0; round < 2; round++)
            run('podman', ['rm', '--force', '--ignore', '--time', '0', name]);
        },
      };
    },
  };
}
