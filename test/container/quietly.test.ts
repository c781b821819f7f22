import t from 'tap';
import { quietly } from '../../src/container/quietly.ts';
import { MalformedError, UnreadableError } from '../../src/procfs/fs.ts';

t.test('a reading that fails is left out, a defect is not', (t) => {
  t.equal(
    quietly(() => 1),
    1,
  );
  const failing = (error: Error) => (): number => {
    throw error;
  };
  t.equal(quietly(failing(new UnreadableError('/proc/1/ns', 'EACCES'))), undefined);
  t.equal(quietly(failing(new MalformedError('/proc/1/stat', 'empty'))), undefined);
  t.throws(() => quietly(failing(new TypeError('a defect'))), TypeError);
  t.end();
});
