import { readFileSync } from 'node:fs';

const ROOT = new URL('../../', import.meta.url);

/** Returns the text of a file by its path from the root of the repository. */
export function readFromRoot(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8');
}

/** Returns what stands below a heading, which is given with its `#`, up to the next heading; empty where there is none such. */
function sectionBelow(page: string, heading: string): string {
  const [, section = ''] = `\n${page}`.split(`\n${heading}\n`);
  return section.split(/\n#/, 1)[0] ?? '';
}

/** Returns the rows of all tables below a heading as trimmed cells, without their heads. */
export function tableBelow(page: string, heading: string): readonly (readonly string[])[] {
  const lines = sectionBelow(page, heading).split('\n');
  return lines
    .filter((line, index) => line.startsWith('|') && !isRule(line) && !isRule(lines[index + 1] ?? ''))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** Whether a line is the one between the head of a table and its rows. */
function isRule(line: string): boolean {
  return /^\|[\s:|-]+\|$/.test(line);
}
