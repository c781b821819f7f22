import type { Field } from './btf.ts';

/** r0 holds results, r1 to r5 arguments (a call destroys them), r6 to r9 what lasts, r10 the end of the stack. */
export type Register = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10;

// docs.kernel.org/bpf/standardization/instruction-set.html
const LOAD_IMMEDIATE_64 = 0x18;
const LOAD_32 = 0x61;
const LOAD_64 = 0x79;
const STORE_32 = 0x63;
const STORE_64 = 0x7b;
const ADD = 0x07;
const MOVE = 0xbf;
const JUMP = 0x05;
const JUMP_IF_IS = 0x15;
const JUMP_IF_BELOW = 0xa5;
const JUMP_IF_EQUAL = 0x1d;
const JUMP_IF_UNEQUAL = 0x5d;
const CALL = 0x85;
const EXIT = 0x95;
const INSTRUCTION_BYTES = 8;
const MEMBER_OFFSET = 0;

/** Writes eBPF instructions, with labels to jump to, and notes which offsets the kernel is to fill in. */
export class Assembler {
  readonly #code: number[][] = [];
  readonly #labels = new Map<string, number>();
  readonly #jumps: { at: number; label: string }[] = [];
  readonly #relocations: number[] = [];

  get length(): number {
    return this.#code.length;
  }

  load32(to: Register, from: Register, offset: number): void {
    this.#add(LOAD_32, to, from, offset);
  }

  load64(to: Register, from: Register, offset: number): void {
    this.#add(LOAD_64, to, from, offset);
  }

  /** Loads a member of the kernel's struct that a register points to. */
  loadField32(to: Register, from: Register, field: Field): void {
    this.#relocate(field);
    this.load32(to, from, field.offset);
  }

  loadField64(to: Register, from: Register, field: Field): void {
    this.#relocate(field);
    this.load64(to, from, field.offset);
  }

  /** Makes a pointer to a struct one to its member. */
  addField(to: Register, field: Field): void {
    this.#relocate(field);
    this.add(to, field.offset);
  }

  store32(to: Register, offset: number, from: Register): void {
    this.#add(STORE_32, to, from, offset);
  }

  store64(to: Register, offset: number, from: Register): void {
    this.#add(STORE_64, to, from, offset);
  }

  move(to: Register, from: Register): void {
    this.#add(MOVE, to, from);
  }

  add(to: Register, value: number): void {
    this.#add(ADD, to, 0, 0, value);
  }

  /** Any whole number of 64 bits, which takes two instructions' room. */
  set(to: Register, value: bigint | number): void {
    const wide = BigInt(value);
    this.#add(LOAD_IMMEDIATE_64, to, 0, 0, Number(BigInt.asIntN(32, wide)));
    this.#add(0, 0, 0, 0, Number(BigInt.asIntN(32, wide >> 32n)));
  }

  jump(label: string): void {
    this.#jump(JUMP, 0, 0, label);
  }

  jumpIfZero(what: Register, label: string): void {
    this.#jump(JUMP_IF_IS, what, 0, label);
  }

  /** Unsigned. */
  jumpIfBelow(what: Register, value: number, label: string): void {
    this.#jump(JUMP_IF_BELOW, what, 0, label, value);
  }

  jumpIfEqual(what: Register, other: Register, label: string): void {
    this.#jump(JUMP_IF_EQUAL, what, other, label);
  }

  jumpIfUnequal(what: Register, other: Register, label: string): void {
    this.#jump(JUMP_IF_UNEQUAL, what, other, label);
  }

  label(name: string): void {
    this.#labels.set(name, this.#code.length);
  }

  /** A function of the kernel by its number, include/uapi/linux/bpf.h. */
  call(helper: number): void {
    this.#add(CALL, 0, 0, 0, helper);
  }

  exit(): void {
    this.#add(EXIT, 0);
  }

  /** The instructions; throws where a label is missing. */
  encode(): Buffer {
    const code = Buffer.alloc(this.#code.length * INSTRUCTION_BYTES);
    for (const [index, [operation = 0, to = 0, from = 0, offset = 0, value = 0]] of this.#code.entries()) {
      const at = index * INSTRUCTION_BYTES;
      code.writeUInt8(operation, at);
      code.writeUInt8(to | (from << 4), at + 1);
      code.writeInt16LE(offset, at + 2);
      code.writeInt32LE(value, at + 4);
    }
    for (const { at, label } of this.#jumps) {
      const target = this.#labels.get(label);
      if (target === undefined) throw new Error(`a jump to ${label}, which is nowhere`);
      // Counted from the next instruction.
      code.writeInt16LE(target - at - 1, at * INSTRUCTION_BYTES + 2);
    }
    return code;
  }

  /** struct bpf_core_relo for each offset that the kernel is to fill in. */
  encodeRelocations(): Buffer {
    return Buffer.from(Uint32Array.from(this.#relocations).buffer);
  }

  #relocate({ typeId, path }: Field): void {
    this.#relocations.push(this.#code.length * INSTRUCTION_BYTES, typeId, path, MEMBER_OFFSET);
  }

  #jump(operation: number, what: Register, other: Register, label: string, value = 0): void {
    this.#jumps.push({ at: this.#code.length, label });
    this.#add(operation, what, other, 0, value);
  }

  #add(operation: number, to: Register, from: Register = 0, offset = 0, value = 0): void {
    this.#code.push([operation, to, from, offset, value]);
  }
}
