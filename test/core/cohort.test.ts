import { describe, expect, it } from 'vitest';

import { Cohort, OTHERS_CATCH_UP } from '../../src/core/cohort.ts';

/** A cohort whose turns end when the test says so. */
function cohortOf() {
  const turnEnds: (() => void)[] = [];
  const taken: string[] = [];
  const cohort = new Cohort({ afterInput: (run) => void turnEnds.push(run) });
  const endTurn = (): void => {
    for (const run of turnEnds.splice(0)) run();
  };
  return { cohort, taken, turnEnds, endTurn, add: (name: string) => cohort.add(() => taken.push(name)) };
}

describe('a cohort', () => {
  it('takes no step before the input of the turn was read, and then all of them, in order', () => {
    const { add, taken, turnEnds, endTurn } = cohortOf();
    for (const name of ['a', 'b', 'c']) add(name);
    expect(taken).toEqual([]);
    expect(turnEnds).toHaveLength(1);
    endTurn();
    expect(taken).toEqual(['a', 'b', 'c']);
    add('d');
    endTurn();
    expect(taken.at(-1)).toBe('d');
  });

  it('takes the next kind of step of all its members before the one after that', () => {
    const { cohort, taken, turnEnds, endTurn } = cohortOf();
    const call = (name: string): void => {
      cohort.add(() => {
        taken.push(`${name} head`);
        cohort.add(() => {
          taken.push(`${name} body`);
          cohort.add(() => taken.push(`${name} end`));
        });
      });
    };
    call('a');
    call('b');
    endTurn();
    expect(taken).toEqual(['a head', 'b head', 'a body', 'b body', 'a end', 'b end']);
    expect(turnEnds).toHaveLength(0);
  });

  it('lets promises have their turn after 16 steps, and takes the rest in the same turn of the event loop', async () => {
    const { add, taken, turnEnds, endTurn } = cohortOf();
    for (let index = 0; index < 33; index++) add(String(index));
    expect(turnEnds).toHaveLength(3);
    turnEnds[0]?.();
    expect(taken).toHaveLength(16);
    // One that comes between two cohorts needs no further one where there is room.
    add('33');
    expect(turnEnds).toHaveLength(3);
    turnEnds.shift();
    endTurn();
    expect(taken).toEqual(Array.from({ length: 34 }, (_, index) => String(index)));
    await OTHERS_CATCH_UP;
    expect(turnEnds).toHaveLength(0);
  });

  it('goes on where a step throws, which is told as what nobody has caught', async () => {
    const { cohort, add, taken, endTurn } = cohortOf();
    const uncaught = new Promise((resolve) => process.prependOnceListener('uncaughtException', resolve));
    const others = process.listeners('uncaughtException').slice(1);
    for (const other of others) process.off('uncaughtException', other);
    cohort.add(() => {
      throw new Error('a fault');
    });
    add('a neighbour');
    endTurn();
    add('a later one');
    endTurn();
    expect(taken).toEqual(['a neighbour', 'a later one']);
    expect(await uncaught).toMatchObject({ message: 'a fault' });
    for (const other of others) process.on('uncaughtException', other);
  });

  it('lets calls that wait for the next stage catch up with each other', async () => {
    const taken: string[] = [];
    const call = async (name: string): Promise<void> => {
      taken.push(`${name} plan`);
      await OTHERS_CATCH_UP;
      taken.push(`${name} run`);
    };
    await Promise.all([call('a'), call('b')]);
    expect(taken).toEqual(['a plan', 'b plan', 'a run', 'b run']);
  });
});
