import t from 'tap';
import { parsePortList } from '../../src/config/port-list.ts';

const lists: [text: string, ports: number[] | string][] = [
  ['8091', [8091]],
  ['8092,8091', [8091, 8092]],
  [' 8091 , 8092 ', [8091, 8092]],
  ['8000-8003', [8000, 8001, 8002, 8003]],
  ['8001,8000-8002', [8000, 8001, 8002]],
  ['1,65535', [1, 65535]],
  ['0', '0 is not a port (1-65535)'],
  ['70000', '70000 is not a port (1-65535)'],
  ['8091,65536', '65536 is not a port (1-65535)'],
  ['8000-99999999999999999999', '99999999999999999999 is not a port (1-65535)'],
  ['http', '"http" is not a port (1-65535)'],
  ['-8091', '"-8091" is not a port (1-65535)'],
  ['80.5', '"80.5" is not a port (1-65535)'],
  ['0x50', '"0x50" is not a port (1-65535)'],
  ['8010-8000', '8010-8000 runs backwards: write 8000-8010'],
  ['1-65535', '1-65535 makes more than 1024 ports'],
  ['8091,', '"8091," has an empty item: write ports as 8091,8092 or 8000-8010'],
  ['', '"" has an empty item: write ports as 8091,8092 or 8000-8010'],
];

t.test('a list of ports is numbers and ranges, or a sentence about what is wrong', (t) => {
  for (const [text, ports] of lists) t.same(parsePortList(text), ports, text);
  t.end();
});
