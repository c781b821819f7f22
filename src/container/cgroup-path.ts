import type { RuntimeName } from '../model.ts';
import { parseCgroup } from '../procfs/cgroup.ts';

/** A container that a cgroup path names. */
export interface CgroupContainer {
  runtime: RuntimeName;
  /** 64 hex digits, or the machine's or container's name (LXC, nspawn, garden, ECS). */
  id: string;
  /** The path that names it, as the kernel shows it. */
  path: string;
}

type Named = Omit<CgroupContainer, 'path'>;

const HEX = '[0-9a-f]{64}';

/** Forms that one component of the path says by itself. Nothing else may follow: `crio-ID.mount` is a mount unit. */
const forms: [RuntimeName, RegExp][] = [
  // libpod-conmon-ID.scope is a supervisor's and matches none of these; nor does a pod's slice (machine-libpod_pod_ID.slice).
  ['podman', new RegExp(`^libpod-(?:payload-)?(${HEX})(?:\\.scope)?$`)],
  ['docker', new RegExp(`^docker-(${HEX})(?:\\.scope)?$`)],
  ['containerd', new RegExp(`^(?:cri-containerd|nerdctl)-(${HEX})(?:\\.scope)?$`)],
  ['crio', new RegExp(`^crio-(${HEX})(?:\\.scope)?$`)],
  // A systemd-style path that was given to the cgroupfs driver: SLICE:PREFIX:ID stays one component.
  ['containerd', new RegExp(`:(?:cri-containerd|nerdctl):(${HEX})$`)],
  ['crio', new RegExp(`:crio:(${HEX})$`)],
  ['docker', new RegExp(`:docker:(${HEX})$`)],
  ['podman', new RegExp(`:libpod:(${HEX})$`)],
];

const bareId = new RegExp(`^(${HEX})(?:\\.scope)?$`);

/**
 * Which container the text of a /proc/PID/cgroup file (or one cgroup path) names, in any of its hierarchies: v1 and
 * hybrid hosts may name it on one line only. Of nested containers it is the outermost that this host's runtimes know:
 * one that pid 1 is in as well, by `init`, its cgroup file, is what this host itself runs in (`docker run --privileged`
 * without a cgroup namespace, the default on v1), and says nothing of a process in it.
 */
export function containerFromCgroup(text: string, init = ''): CgroupContainer | undefined {
  for (const path of pathsOf(text)) {
    const found = containersOn(path).find(({ level }) => !isAround(init, level));
    if (found !== undefined) return { runtime: found.runtime, id: found.id, path };
  }
  return undefined;
}

function isAround(init: string, level: string): boolean {
  return pathsOf(init).some((path) => containersOn(path).some((each) => each.level === level));
}

/** v2's path first: where two hierarchies name different containers, systemd's and the runtimes' own bookkeeping is v2's. */
function pathsOf(text: string): string[] {
  const clean = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line) => line.trim());
  const lines = clean.flatMap((line) => parseCgroup(line));
  if (lines.length === 0) return clean.filter((line) => line.startsWith('/'));
  return lines.sort((a, b) => Number(a.hierarchy !== 0) - Number(b.hierarchy !== 0)).map(({ path }) => path);
}

/** Every container that a path names, outermost first, and the path as far as its name. */
function containersOn(path: string): (Named & { level: string })[] {
  const parts = path.split('/').filter((part) => part !== '');
  return parts.flatMap((part, index) => {
    const found = fromComponent(part) ?? fromPlace(part, index, parts);
    return found === undefined ? [] : { ...found, level: parts.slice(0, index + 1).join('/') };
  });
}

function fromComponent(part: string): Named | undefined {
  for (const [runtime, form] of forms) {
    const id = form.exec(part)?.[1];
    if (id !== undefined) return { runtime, id };
  }
  const lxc = /^lxc\.payload\.(.+)$/.exec(part)?.[1];
  if (lxc !== undefined) return { runtime: 'lxc', id: lxcName(lxc) };
  return undefined;
}

/** Forms that need the components around: a directory for all containers of a runtime, a machine's unit, a pod. */
function fromPlace(part: string, index: number, parts: string[]): Named | undefined {
  const before = parts[index - 1] ?? '';
  const id = bareId.exec(part)?.[1];
  if (before === 'lxc' || before === 'lxc.payload') return { runtime: 'lxc', id: lxcName(part) };
  if (before === 'garden') return { runtime: 'garden', id: part };
  const machine = fromMachine(part, parts[index + 1]);
  if (machine !== undefined) return machine;
  const ecs = fromEcs(part, index, parts);
  if (ecs !== undefined) return ecs;
  if (id === undefined) return undefined;
  if (before === 'docker') return { runtime: 'docker', id };
  if (before === 'libpod') return { runtime: 'podman', id };
  if (isPod(before, parts[index + 1])) return undefined;
  const inPod = parts.slice(0, index).some((each) => /^kubepods/.test(each)) || /^pod[0-9a-f]/.test(before);
  return { runtime: inPod ? 'kubernetes-unknown' : 'unknown', id };
}

/** A pod with the cgroupfs driver: /libpod_parent/POD/libpod-ID (seen on podman 4.3), or --cgroup-parent's instead of the first. */
function isPod(before: string, next: string | undefined): boolean {
  return before === 'libpod_parent' || (next !== undefined && fromComponent(next)?.runtime === 'podman');
}

function fromMachine(part: string, next: string | undefined): Named | undefined {
  const unit = /^systemd-nspawn@(.+)\.service$/.exec(part)?.[1];
  // The systemd-nspawn process itself is in `supervisor`, or (before systemd 232) in the unit's own cgroup.
  if (unit !== undefined) {
    return next === undefined || next === 'supervisor'
      ? undefined
      : { runtime: 'nspawn', id: unescape(unit) };
  }
  const scope = /^machine-(.+)\.scope$/.exec(part)?.[1];
  if (scope === undefined || next === 'supervisor') return undefined;
  const name = unescape(scope);
  // libvirt's qemu and systemd-vmspawn machines hold a virtual machine, whose processes are the host's.
  if (/^qemu-/.test(name)) return undefined;
  const libvirt = /^lxc-(?:\d+-)?(.+)$/.exec(name)?.[1];
  return libvirt === undefined ? { runtime: 'nspawn', id: name } : { runtime: 'libvirt-lxc', id: libvirt };
}

/** /ecs/TASK/CONTAINER or /ecs/CONTAINER; a container's id ends in the runtime's number or is docker's. */
function fromEcs(part: string, index: number, parts: string[]): Named | undefined {
  const inEcs = parts[index - 1] === 'ecs' || parts[index - 2] === 'ecs';
  if (!inEcs || !new RegExp(`^(?:[0-9a-f]{32}-\\d+|${HEX})$`).test(part)) return undefined;
  return { runtime: 'ecs', id: part };
}

/** The name that the owner gave: LXD and Incus put `user-UID_` (a restricted project) before it. */
export function lxcName(name: string): string {
  return name.replace(/^user-\d+_/, '');
}

/** Undoes systemd-escape(1): `my\x2dbox` is `my-box`. */
function unescape(name: string): string {
  return name.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}
