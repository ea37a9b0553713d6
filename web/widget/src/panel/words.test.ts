import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { en } from './locales/en.ts';
import { choose, english, speak } from './words.ts';

describe('words', () => {
  test('the language', () => {
    assert.equal(choose('de', 'fr', ['nl']), 'de');
    assert.equal(choose('de-AT', '', []), 'de');
    assert.equal(choose('auto', 'fr-CA', ['nl']), 'fr');
    assert.equal(choose('auto', '', ['xx', 'nl-BE', 'de']), 'nl');
    assert.equal(choose('auto', 'xx', ['yy']), 'en');
    assert.equal(choose('toString', '', []), 'en');
    assert.equal(choose('../../x', '', []), 'en');
  });

  test('plurals and values', () => {
    assert.equal(english('sources', { n: 1 }), '1 source');
    assert.equal(english('sources', { n: 2 }), '2 sources');
    assert.equal(english('typing', { name: '<b>' }), '<b> is writing…');
  });

  for (const language of ['de', 'es', 'fr', 'nl']) {
    test(`${language} says everything, with the same values`, async () => {
      const { words } = (await import(`./locales/${language}.ts`)) as { words: typeof en };
      assert.deepEqual(Object.keys(words).sort(), Object.keys(en).sort());
      for (const [name, text] of Object.entries(en)) {
        const holes = (value: unknown): string[] =>
          [...JSON.stringify(value).matchAll(/\{\w+\}/g)].map((m) => m[0]).sort();
        assert.deepEqual(holes(words[name as keyof typeof en]), holes(text), name);
      }
      assert.notEqual((await speak(language))('send'), english('send'));
    });
  }
});
