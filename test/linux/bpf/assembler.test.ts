import t from 'tap';
import { Assembler } from '../../../src/linux/bpf/assembler.ts';
import { Btf } from '../../../src/linux/bpf/btf.ts';

// Operation, registers, offset and value, as the instruction set has them; find-inodes.test.ts has the kernel run some.
const instructions: [string, (program: Assembler) => void, string][] = [
  [
    'r6 = r1',
    (program) => {
      program.move(6, 1);
    },
    'bf16000000000000',
  ],
  [
    'r7 = *(u64 *)(r6 + 24)',
    (program) => {
      program.load64(7, 6, 24);
    },
    '7967180000000000',
  ],
  [
    'r5 = *(u32 *)(r4 + 0)',
    (program) => {
      program.load32(5, 4, 0);
    },
    '6145000000000000',
  ],
  [
    '*(u32 *)(r10 - 24) = r5',
    (program) => {
      program.store32(10, -24, 5);
    },
    '635ae8ff00000000',
  ],
  [
    '*(u64 *)(r10 - 8) = r8',
    (program) => {
      program.store64(10, -8, 8);
    },
    '7b8af8ff00000000',
  ],
  [
    'r2 += -24',
    (program) => {
      program.add(2, -24);
    },
    '07020000e8ffffff',
  ],
  [
    'r2 = 4026531836 ll',
    (program) => {
      program.set(2, 4026531836);
    },
    '18020000fcffffef0000000000000000',
  ],
  [
    'r2 = 0x123456789a ll',
    (program) => {
      program.set(2, 0x123456789an);
    },
    '180200009a7856340000000012000000',
  ],
  [
    'call 127',
    (program) => {
      program.call(127);
    },
    '850000007f000000',
  ],
  [
    'exit',
    (program) => {
      program.exit();
    },
    '9500000000000000',
  ],
];

for (const [name, write, bytes] of instructions) {
  t.test(name, (t) => {
    const program = new Assembler();
    write(program);
    t.equal(program.encode().toString('hex'), bytes);
    t.equal(program.length, bytes.length / 16);
    t.end();
  });
}

t.test('a jump goes forward or back by instructions, and to a label that is there', (t) => {
  const program = new Assembler();
  program.label('first');
  program.jumpIfZero(7, 'last');
  program.set(2, 1);
  program.jumpIfEqual(8, 2, 'last');
  program.jumpIfUnequal(8, 2, 'first');
  program.jumpIfBelow(3, 4, 'last');
  program.jump('first');
  program.label('last');
  program.exit();
  t.strictSame(program.encode().toString('hex').match(/.{16}/g), [
    '1507060000000000',
    '1802000001000000',
    '0000000000000000',
    '1d28030000000000',
    '5d28fbff00000000',
    'a503010004000000',
    '0500f9ff00000000',
    '9500000000000000',
  ]);
  program.jump('nowhere');
  t.throws(() => program.encode(), { message: 'a jump to nowhere, which is nowhere' });
  t.end();
});

t.test('the kernel is told which instructions read a member, and by which path', (t) => {
  const btf = new Btf();
  const pointer = btf.pointer();
  const task = btf.struct('task_struct', 16, [
    ['group_leader', pointer, 0],
    ['thread_pid', pointer, 8],
  ]);
  const field = btf.field(task, '0:1', 8);
  const program = new Assembler();
  program.set(0, 0);
  program.loadField64(9, 7, field);
  program.loadField32(3, 9, field);
  program.addField(9, field);
  t.strictSame(program.encode().subarray(16).toString('hex').match(/.{16}/g), [
    '7979080000000000',
    '6193080000000000',
    '0709000008000000',
  ]);
  // instruction, type, path, kind: bytes of the program; the second type; behind three names; an offset.
  t.strictSame(
    [...new Uint32Array(program.encodeRelocations().buffer)],
    [16, task, field.path, 0, 24, task, field.path, 0, 32, task, field.path, 0],
  );
  const strings = btf
    .encode()
    .subarray(24 + 3 * 4 + 3 * 4 + 2 * 12)
    .toString('latin1');
  t.equal(strings, '\0group_leader\0thread_pid\0task_struct\x000:1\0');
  t.equal(strings.slice(field.path, field.path + 3), '0:1');
  t.end();
});
