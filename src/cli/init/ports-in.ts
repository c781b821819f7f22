import { isPort } from '../../config/port-list.ts';

/** A port that a setting names, and the setting. */
export interface NamedPort {
  port: number;
  /** `environment PORT`, `health check`, `command` */
  from: string;
}

/** Addresses at which a service of the host's network listens itself. */
const ownHost = /^(|0\.0\.0\.0|127\.\d+\.\d+\.\d+|localhost|::|::1|\[::1?\]|\*)$/;

/** Ports in an environment: `PORT`, `HTTP_PORT`, `LISTEN=0.0.0.0:8091`; not `DB_PORT` beside a `DB_HOST` that is another's. */
export function portsInEnvironment(env: Readonly<Record<string, string>>): NamedPort[] {
  return Object.entries(env).flatMap(([name, value]) => {
    const from = `environment ${name}`;
    if (/(^|_)PORT$/i.test(name)) {
      const host = env[name.replace(/PORT$/i, (word) => (word === word.toUpperCase() ? 'HOST' : 'host'))];
      return host === undefined || ownHost.test(host) ? named(value, from) : [];
    }
    if (!/(^|_)(LISTEN|BIND|ADDR|ADDRESS)$/i.test(name)) return [];
    const [, at = '', port] = /^(?:\w+:\/\/)?(.*):(\d+)\/?$/.exec(value) ?? [];
    return ownHost.test(at) ? named(port, from) : [];
  });
}

/** Ports that a health check asks on this host: in URLs, and after `-p`, `--port` or a local host's name. */
export function portsInHealthCheck(words: readonly string[]): NamedPort[] {
  const text = words.join(' ');
  const urls = [...text.matchAll(/\bhttps?:\/\/(\[[0-9a-f:]+\]|[^\s/:'"]+)(?::(\d+))?/gi)];
  const plain = [...text.matchAll(/(?:^|\s)(localhost|127\.0\.0\.1)[\s:](\d+)\b/g)];
  return [...urls, ...plain]
    .filter(([, host = '']) => ownHost.test(host))
    .flatMap(([, , port]) => named(port, 'health check'))
    .concat(portsInCommand(text.split(/\s+/)).map(({ port }) => ({ port, from: 'health check' })));
}

/** Ports that a command line is given to listen on: `--port 3001`, `--http-port=3001`, `-p 6333`, `--bind 0.0.0.0:8080`. */
export function portsInCommand(words: readonly string[]): NamedPort[] {
  return words.flatMap((word, index) => {
    const [, option, inline] =
      /^(-p|--?(?:[\w-]*[-_])?(?:port|bind|listen|addr|address))(?:=(.*))?$/i.exec(word) ?? [];
    const value = inline ?? words[index + 1];
    if (option === undefined || value === undefined) return [];
    const [, at = '', port] = /^(?:(.*):)?(\d+)$/.exec(value) ?? [];
    return ownHost.test(at) ? named(port, 'command') : [];
  });
}

function named(text: string | undefined, from: string): NamedPort[] {
  const port = /^\d{1,5}$/.test(text ?? '') ? Number(text) : 0;
  return isPort(port) ? [{ port, from }] : [];
}
