import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Announcer, plain, sentences } from './announce.ts';

describe('sentences', () => {
  const rows: [string, string, boolean, string][] = [
    ['waits for the end of a sentence', 'Hello wor', false, ''],
    ['says whole ones', 'Hello world. And th', false, 'Hello world.'],
    ['a dot in a number is none', 'It costs 3.50 euro', false, ''],
    ['the last word needs no dot', 'Hello world', true, 'Hello world'],
    ['lines end too', '- one\n- two\n- th', false, 'one two'],
    ['no spaces in Chinese', '你好。再', false, '你好。'],
    ['marks are not read', '**Bold** and [link](https://a.example) [1]. x', false, 'Bold and link .'],
    ['code waits until it is closed', 'See:\n```js\nx.y();\nz', false, 'See:'],
  ];
  for (const [name, text, final, expected] of rows)
    test(name, () => assert.equal(sentences(text, 0, final).say, expected));

  test('cut anywhere, all is said once and in order', () => {
    const text = 'One **two**. Three four!\n\n- five\n- six\n\nSeven [1]? Eight';
    for (let cut = 0; cut <= text.length; cut++) {
      const first = sentences(text.slice(0, cut), 0, false);
      const second = sentences(text, first.upTo, true);
      assert.equal(`${first.say} ${second.say}`.replace(/\s+/g, ' ').trim(), plain(text), `cut at ${cut}`);
    }
  });
});

describe('Announcer', () => {
  class Region {
    lines: string[] = [];
  }
  function bench(): { announcer: Announcer; region: Region } {
    const region = new Region();
    const element = {
      append: (line: { textContent: string }) => region.lines.push(line.textContent),
      get childElementCount() {
        return 0;
      },
    };
    Object.assign(globalThis, { document: { createElement: () => ({ textContent: '' }) } });
    return { announcer: new Announcer(() => element as unknown as HTMLElement), region };
  }

  test('keeps a pace, and says the rest at the end', () => {
    const { announcer, region } = bench();
    announcer.follow('a', 'One. Two', false, 0);
    announcer.follow('a', 'One. Two. Three. Fo', false, 100);
    announcer.follow('a', 'One. Two. Three. Four', true, 200);
    assert.deepEqual(region.lines, ['One.', 'Two. Three. Four']);
  });

  test('an old answer that is rated is not read again', () => {
    const { announcer, region } = bench();
    announcer.follow('old', 'Old. Answer.', true, 0);
    announcer.follow('new', 'New. ', false, 0);
    announcer.follow('new', 'New. ', true, 10);
    announcer.follow('old', 'Old. Answer.', true, 20);
    assert.deepEqual(region.lines, ['New.']);
  });

  test('a withdrawn answer is replaced in words too', () => {
    const { announcer, region } = bench();
    announcer.follow('a', 'I think that it is so. ', false, 0);
    announcer.follow('a', 'No.', true, 10);
    assert.deepEqual(region.lines, ['I think that it is so.', 'No.']);
  });
});
