import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

import { endsAtCoreClients } from './core-deadlines.ts';

const python = process.env['PYTHON'] ?? 'python3';
const hasGrpcio = spawnSync(python, ['-c', 'import grpc']).status === 0;

describe.skipIf(!hasGrpcio)('a client of gRPC’s C core (skipped where PYTHON, or python3, has no grpcio)', () => {
  // What a loaded machine is late by counts against the way home.
  it('is told why its call ended before its own clock ends it', { retry: 2 }, async () => {
    const ends = await endsAtCoreClients(python, [2, 5]);
    expect(ends).toHaveLength(4);
    for (const end of ends) expect(end).toMatchObject({ code: 'DEADLINE_EXCEEDED', reason: 'DEADLINE', attempts: 1 });
  });
});
