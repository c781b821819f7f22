import { errorCode } from '../record-file.ts';
import type { User } from './host.ts';

export type CommandResult =
  | { outcome: 'exit'; code: number; stdout: string; stderr: string }
  | { outcome: 'timeout' }
  | { outcome: 'failed'; reason: string };

const LIMIT = 8 * 1024 * 1024;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin';

/** Runs a runtime's command line as the user whose engine it is, with nothing of orphand's own environment; never rejects. */
export async function runCommand(
  program: string,
  args: string[],
  user: User,
  timeoutMs: number,
  env: Record<string, string> = {},
): Promise<CommandResult> {
  // Loaded here because most scans run no command: it takes 2 ms of their start.
  const { spawn } = await import('node:child_process');
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      ...(process.geteuid?.() === user.uid ? {} : { uid: user.uid, gid: user.gid }),
      // Any directory of root's may be closed to the user: podman fails where it can't look up its own.
      cwd: '/',
      env: { PATH, HOME: user.home, USER: user.name, LOGNAME: user.name, ...runtimeDirectory(user), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let size = 0;
    const collect = (parts: Buffer[]) => (part: Buffer) => {
      size += part.length;
      if (size < LIMIT) parts.push(part);
    };
    child.stdout.on('data', collect(out));
    child.stderr.on('data', collect(err));
    const end = (result: CommandResult): void => {
      clearTimeout(timer);
      resolve(result);
      // A grandchild that kept the pipes open must not keep orphand running.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const timer = setTimeout(() => {
      // SIGTERM first: rootless podman waits for a child in its user namespace and passes this on, but no SIGKILL.
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 500).unref();
      end({ outcome: 'timeout' });
    }, timeoutMs);
    child.on('error', (error) => {
      end({ outcome: 'failed', reason: errorCode(error) });
    });
    child.on('exit', (code) => {
      // What was written is read before `close`, unless a grandchild holds the pipes: then it is not waited for.
      const finish = (): void => {
        end(
          code === null
            ? { outcome: 'failed', reason: 'ended by a signal' }
            : { outcome: 'exit', code, stdout: text(out), stderr: text(err) },
        );
      };
      child.on('close', finish);
      setTimeout(finish, 200).unref();
    });
  });
}

function runtimeDirectory(user: User): Record<string, string> {
  return user.uid === 0 ? {} : { XDG_RUNTIME_DIR: `/run/user/${user.uid}` };
}

function text(parts: Buffer[]): string {
  return Buffer.concat(parts).toString('utf8');
}
