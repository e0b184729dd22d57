/**
 * Writes rows below a heading, in columns two spaces apart. Empty where there are no rows. What has no visible form is written as `?`,
 * so that no cell can move the cursor of a terminal.
 */
export function alignedTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const cells = [heading, ...rows].map((row) => row.map(printable));
  const widths = heading.map((_title, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Writes `?` for what has no visible form: the name of a file, of a model or of a target of another machine may hold anything. */
export function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, '?');
}
