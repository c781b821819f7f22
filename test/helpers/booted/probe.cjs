// Run in place of the daemon in its own unit: tries what somebody who has taken it over would try, and what it needs,
// and prints what came of each as one line of JSON.
const fs = require('node:fs');
const net = require('node:net');
const { spawnSync } = require('node:child_process');
const { join } = require('node:path');

const attempt = (act) => {
  try {
    act();
    return 'done';
  } catch (error) {
    return error.code ?? String(error);
  }
};
const run = (program, ...args) => {
  const { error, status } = spawnSync(program, args);
  return error?.code ?? (status === 0 ? 'done' : 'failed');
};
const listening = () =>
  new Promise((resolve) => {
    const server = net.createServer();
    server.on('error', (error) => resolve(error.code));
    server.listen(19999, '127.0.0.1', () => resolve('done'));
  });

(async () => {
  const state = process.env.STATE_DIRECTORY;
  // Whether a program can be put into a folder, and run there.
  const runFrom = (folder) => {
    const script = join(folder, 'script');
    const written = attempt(() => fs.writeFileSync(script, `#!${process.execPath}\n`, { mode: 0o700 }));
    const came = written === 'done' ? run(script) : `unwritable ${written}`;
    fs.rmSync(script, { force: true });
    return came;
  };
  const own = fs.readFileSync('/proc/self/cgroup', 'utf8').split('0::')[1].trim();
  const results = {
    writeEtc: attempt(() => fs.writeFileSync('/etc/escaped', '')),
    writeEtcThroughPid1: attempt(() => fs.writeFileSync('/proc/1/root/etc/escaped', '')),
    writeRootHomeThroughPid1: attempt(() => fs.writeFileSync('/proc/1/root/root/escaped', '')),
    writeSysctlThroughPid1: attempt(() => fs.openSync('/proc/1/root/proc/sys/kernel/core_pattern', 'r+')),
    writeMemoryOfPid1: attempt(() => fs.openSync('/proc/1/mem', 'r+')),
    openCgroupKill: attempt(() => fs.openSync(`/sys/fs/cgroup${own}/cgroup.kill`, 'w')),
    runShell: run('/bin/sh', '-c', 'true'),
    runPodman: run('/usr/bin/podman', '--version'),
    runThroughLoader: run('/lib64/ld-linux-x86-64.so.2', '/bin/true'),
    runFromState: runFrom(state),
    runFromTmp: runFrom('/tmp'),
    runFromVarTmp: runFrom('/var/tmp'),
    runFromShm: runFrom('/dev/shm'),
    runFromRunLock: runFrom('/run/lock'),
    runFromHome: runFrom('/home/alice'),
    runNode: run(process.execPath, '--version'),
    becomeRoot: attempt(() => process.setuid(0)),
    listen: await listening(),
    writeState: attempt(() => fs.writeFileSync(join(state, 'probe'), '')),
    readDescriptorsOfPid1: attempt(() => fs.readlinkSync(`/proc/1/fd/${fs.readdirSync('/proc/1/fd')[0]}`)),
    readEnvironmentOfPid1: attempt(() => fs.readFileSync('/proc/1/environ')),
    readRootlessStores: attempt(() => fs.readdirSync('/home/alice')),
    seeHostSockets: fs.readFileSync('/proc/1/net/tcp', 'utf8').includes(':25F1 00000000:0000 0A')
      ? 'done'
      : 'unseen',
  };
  fs.rmSync(join(state, 'probe'), { force: true });
  console.log(JSON.stringify(results));
  process.exit();
})();
