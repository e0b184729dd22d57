import { expect, test } from 'vitest';

import { csvRow } from '../../../src/core/formats/csv-row.ts';

test.each<readonly [Parameters<typeof csvRow>[0], string]>([
  [['a', 1, 2n, undefined], 'a,1,2,'],
  [['a,b', 'say "hi"', 'two\nlines', 'two\r\nlines'], '"a,b","say ""hi""","two\nlines","two\r\nlines"'],
  [['=1+1', '+1', '-1', '@cmd', '\tx', '\rx'], "'=1+1,'+1,'-1,'@cmd,'\tx,\"'\rx\""],
  [['=HYPERLINK("http://x","y")'], '"\'=HYPERLINK(""http://x"",""y"")"'],
  [[-1, -2n], '-1,-2'],
  [['ümläut', ' spaces '], 'ümläut, spaces '],
])('%o is a row that no spreadsheet takes for a formula', (cells, line) => {
  expect(csvRow(cells)).toBe(`${line}\r\n`);
});
