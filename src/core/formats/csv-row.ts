/** What a spreadsheet may take for a formula (OWASP, "CSV Injection"). */
const FORMULA = /^[=+\-@\t\r]/;

/** What RFC 4180 wants in quotes. */
const SPECIAL = /[",\r\n]/;

/**
 * Writes a row of CSV (RFC 4180), its line break included. Text that a spreadsheet would take for a formula gets an apostrophe before
 * it: names and labels are their callers' words. Numbers stay as they are; undefined is an empty cell.
 */
export function csvRow(cells: readonly (string | number | bigint | undefined)[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(value: string | number | bigint | undefined): string {
  if (value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return SPECIAL.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
