import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { labFolder, type Host } from './host.ts';

const applets = ['sh', 'nc', 'sleep', 'httpd', 'cat', 'ls', 'ps', 'mkdir', 'kill', 'echo', 'rm', 'tail'];

/**
 * Writes a tar of a tiny root file system into the host's folder and returns its path: busybox, and links through which
 * `-v /usr:/usr:ro` brings the machine's Python. /app has serve.py as server.py, and a page for httpd.
 */
export function imageTar(host: Host): string {
  const tar = join(host.dir, 'image.tar');
  if (existsSync(tar)) return tar;
  const root = mkdtempSync(join(tmpdir(), 'orphand-image-'));
  try {
    for (const folder of ['bin', 'etc', 'proc', 'sys', 'dev', 'tmp', 'app', 'usr', 'run'])
      mkdirSync(join(root, folder));
    copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
    for (const applet of applets) symlinkSync('busybox', join(root, 'bin', applet));
    for (const link of ['lib', 'lib64']) symlinkSync(`usr/${link}`, join(root, link));
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n');
    writeFileSync(join(root, 'app/index.html'), 'ok\n');
    copyFileSync(join(labFolder, 'serve.py'), join(root, 'app/server.py'));
    execFileSync('tar', ['-C', root, '-c', '-f', tar, '.']);
    chmodSync(tar, 0o644);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  return tar;
}
