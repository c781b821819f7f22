const MAGIC = 0xeb9f;
const VERSION = 1;
const HEADER_BYTES = 24;
/** BTF_KIND_*, include/uapi/linux/btf.h. */
const KIND = { int: 1, pointer: 2, array: 3, struct: 4, func: 12, funcProto: 13 } as const;
const GLOBAL = 1;

/** A member that a program reads; the kernel looks up where its own type has it (CO-RE). */
export interface Field {
  /** Of the struct in our own description of it. */
  readonly typeId: number;
  /** Where the path to the member is written, `0:1`, as an offset into the strings. */
  readonly path: number;
  /** Where our own description has it, bytes: what the instruction says before the kernel corrects it. */
  readonly offset: number;
}

/** Describes types to the kernel, BTF (docs.kernel.org/bpf/btf.html): only what a program of ours names of them. */
export class Btf {
  readonly #words: number[] = [];
  readonly #strings = new Map([['', 0]]);
  #stringBytes = 1;
  #types = 0;

  /** An offset into the strings; each is there once. */
  string(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    const offset = this.#stringBytes;
    this.#strings.set(text, offset);
    this.#stringBytes += text.length + 1;
    return offset;
  }

  unsigned(bytes: number): number {
    return this.#add(`u${bytes * 8}`, KIND.int, 0, bytes, [bytes * 8]);
  }

  pointer(): number {
    return this.#add('', KIND.pointer, 0, 0);
  }

  /** Without a length, as the last member of a struct. */
  array(elementId: number, indexId: number): number {
    return this.#add('', KIND.array, 0, 0, [elementId, indexId, 0]);
  }

  struct(name: string, bytes: number, members: [name: string, typeId: number, offset: number][]): number {
    const rest = members.flatMap(([member, typeId, offset]) => [this.string(member), typeId, offset * 8]);
    return this.#add(name, KIND.struct, members.length, bytes, rest);
  }

  /** A function without parameters that returns a number of type `typeId`. */
  func(name: string, typeId: number): number {
    return this.#add(name, KIND.func, GLOBAL, this.#add('', KIND.funcProto, 0, typeId));
  }

  field(typeId: number, path: string, offset: number): Field {
    return { typeId, path: this.string(path), offset };
  }

  encode(): Buffer {
    const types = Buffer.from(Uint32Array.from(this.#words).buffer);
    const strings = Buffer.from(`${[...this.#strings.keys()].join('\0')}\0`, 'latin1');
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt16LE(MAGIC, 0);
    header.writeUInt8(VERSION, 2);
    // Types begin at 0 behind the header, strings behind the types.
    for (const [index, value] of [HEADER_BYTES, 0, types.length, types.length, strings.length].entries())
      header.writeUInt32LE(value, 4 + 4 * index);
    return Buffer.concat([header, types, strings]);
  }

  #add(name: string, kind: number, count: number, sizeOrType: number, rest: number[] = []): number {
    // struct btf_type: name, kind and count in one word, a size or another type's number.
    this.#words.push(this.string(name), kind * 2 ** 24 + count, sizeOrType, ...rest);
    return ++this.#types;
  }
}
