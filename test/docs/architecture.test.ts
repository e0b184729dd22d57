import { describe, expect, test } from 'vitest';

import { ROOMS } from '../../oxlint.config.ts';
import { readFromRoot, tableBelow } from '../support/doc-tables.ts';

const PAGE = readFromRoot('docs/architecture.md');

/** The one room that may look up: telemetry sees the types of the doors. */
const LOOKS_UP = 'telemetry to server';

describe('docs/architecture.md', () => {
  test('has the import table that the linter holds imports to', () => {
    const rows = Object.entries(ROOMS).map(([name, { imports, types = [], packages = [], typesOfPackages = [] }]) => [
      `\`${nameOf(name)}\``,
      imports.length === 0 ? 'nothing' : imports.map((room) => (room === '*' ? 'every room' : nameOf(room))).join(', '),
      types.map(nameOf).join(', '),
      [...packages.map(quoted), ...typesOfPackages.map((entry) => `types of ${quoted(entry)}`)].join(', '),
    ]);
    expect(tableBelow(PAGE, '# Architecture')).toEqual(rows);
  });

  test('has a picture in which every room stands above those that it imports from', () => {
    const [, picture = ''] = PAGE.split('```');
    const floors = picture
      .split('\n')
      .map((line) => [...line.matchAll(/([\w-]+)(?:\/|\.ts)(?= |$)/g)].map(([, room]) => room));
    const floorOf = (room: string): number => floors.findIndex((rooms) => rooms.includes(room));
    for (const [room, { imports, types = [] }] of Object.entries(ROOMS)) {
      expect(floorOf(room), room).toBeGreaterThan(-1);
      for (const other of [...imports, ...types].map((name) => name.split('/', 1)[0] ?? '')) {
        const way = `${room} to ${other}`;
        if (other === '*' || other === 'gen' || way === LOOKS_UP) continue;
        expect(floorOf(other), way).toBeGreaterThan(floorOf(room));
      }
    }
  });
});

/** Returns a room as the page names it: a folder, or a file of `src/`. */
function nameOf(room: string): string {
  return ROOMS[room]?.files?.replace('src/', '') ?? room;
}

function quoted(name: string): string {
  return `\`${name}\``;
}
