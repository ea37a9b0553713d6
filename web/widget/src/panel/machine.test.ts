import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { manners, next, table, type Happening, type State } from './machine.ts';

const states = Object.keys(table) as State[];

/** From the first state through the happenings, each with where it must lead. */
function walk(...steps: (Happening | State)[]): void {
  let state: State = 'idle';
  for (let i = 0; i < steps.length; i += 2) {
    const happening = steps[i] as Happening;
    state = next(state, happening);
    assert.equal(state, steps[i + 1], `after ${steps.slice(0, i + 1).join(' ')}`);
  }
}

describe('machine', () => {
  test('every way leads to a state of the table', () => {
    for (const row of Object.values(table)) for (const to of Object.values(row)) assert.ok(states.includes(to));
  });

  test('every state can be reached, and none is a trap', () => {
    const reached = new Set<State>(['idle']);
    for (const state of reached) for (const to of Object.values(table[state])) reached.add(to);
    assert.deepEqual([...reached].sort(), [...states].sort());
    for (const state of states)
      assert.ok(
        Object.values(table[state]).some((to) => to !== state),
        `${state} can be left`,
      );
  });

  test('a happening that a state does not name changes nothing', () => {
    assert.equal(next('idle', 'words'), 'idle');
    assert.equal(next('refused', 'send'), 'refused');
    assert.equal(next('ended', 'restored'), 'ended');
    assert.equal(next('human', 'words'), 'human');
  });

  test('from every living state: refused, expired, reset', () => {
    for (const state of states) {
      if (state === 'idle' || state === 'refused' || state === 'ended') continue;
      assert.equal(next(state, 'refused'), 'refused');
      assert.equal(next(state, 'expired'), 'ended');
      assert.equal(next(state, 'reset'), 'connecting');
    }
  });

  const walks: [string, (Happening | State)[]][] = [
    [
      'an answer',
      [
        'open',
        'connecting',
        'restored',
        'ready',
        'send',
        'sending',
        'accepted',
        'searching',
        'words',
        'streaming',
        'words',
        'streaming',
        'finished',
        'ready',
      ],
    ],
    [
      'a cut in the middle',
      [
        'open',
        'connecting',
        'restored',
        'ready',
        'send',
        'sending',
        'accepted',
        'searching',
        'words',
        'streaming',
        'cut',
        'reconnecting',
        'words',
        'streaming',
        'finished',
        'ready',
      ],
    ],
    [
      'a cut before it was stored',
      [
        'open',
        'connecting',
        'restored',
        'ready',
        'send',
        'sending',
        'cut',
        'reconnecting',
        'accepted',
        'searching',
        'finished',
        'ready',
      ],
    ],
    [
      'offline while idle',
      ['open', 'connecting', 'restored', 'ready', 'offline', 'offline', 'online', 'reconnecting', 'restored', 'ready'],
    ],
    [
      'sent while offline',
      [
        'open',
        'connecting',
        'restored',
        'ready',
        'offline',
        'offline',
        'send',
        'sending',
        'cut',
        'reconnecting',
        'accepted',
        'searching',
      ],
    ],
    [
      'handed to a person',
      [
        'open',
        'connecting',
        'restored',
        'ready',
        'send',
        'sending',
        'accepted',
        'searching',
        'waiting',
        'waiting',
        'finished',
        'waiting',
        'human',
        'human',
        'send',
        'sending',
        'accepted',
        'searching',
        'human',
        'human',
        'released',
        'ready',
      ],
    ],
    [
      'reload into a running answer',
      [
        'open',
        'connecting',
        'accepted',
        'searching',
        'restored',
        'searching',
        'words',
        'streaming',
        'finished',
        'ready',
      ],
    ],
    [
      'token ran out, another came',
      ['open', 'connecting', 'expired', 'ended', 'reset', 'connecting', 'restored', 'ready'],
    ],
    ['host away at the start', ['open', 'connecting', 'cut', 'reconnecting', 'restored', 'ready']],
  ];
  for (const [name, steps] of walks) test(name, () => walk(...steps));

  test('what the visitor may do', () => {
    for (const state of states) {
      const closed = state === 'refused' || state === 'ended';
      assert.deepEqual(manners(state, false), { type: !closed, send: !closed, stop: false });
      assert.deepEqual(manners(state, true), { type: !closed, send: false, stop: true });
    }
  });
});
