import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { settle } from './loader/settings.ts';
import { voiceOf } from './panel/voice.ts';
import { read } from './settings.ts';
import { placement, visitor, voice, wiring } from './table/options.ts';

const refusals: string[] = [];
const refused = (name: string): number => refusals.push(name);
const all = { ...wiring, ...placement, ...voice, ...visitor };

before(() => {
  Object.assign(globalThis, {
    document: { baseURI: 'https://shop.example/page' },
    // As browsers do: one value, no more.
    CSS: { supports: (_: string, value: string) => /^(#[\da-f]{3,8}|[a-z]+|rgb\([\d ,]+\))$/i.test(value) },
  });
});

describe('read', () => {
  const rows: [string, string, unknown][] = [
    ['botId', 'bot_1', 'bot_1'],
    ['tokenUrl', '/chat-token', 'https://shop.example/chat-token'],
    ['tokenUrl', 'javascript:alert(1)', undefined],
    ['tokenUrl', 'data:text/plain,x', undefined],
    ['tokenUrl', 'http://[', undefined],
    ['position', 'top-left', 'top-left'],
    ['position', 'top-left;x', undefined],
    ['primaryColor', '#4F46E5', '#4F46E5'],
    ['primaryColor', 'red;background:url(//x)', undefined],
    ['zIndex', '10', 10],
    ['zIndex', '1e9', undefined],
    ['zIndex', '<b>', undefined],
    ['offsetX', '12px', 12],
    ['offsetX', '1em', undefined],
    ['openOnLoad', 'false', false],
    ['openOnLoad', '', true],
    ['openOnLoad', 'maybe', undefined],
    ['launcherIcon', 'speech-bubble', 'speech-bubble'],
    ['launcherIcon', '/icon.png', 'https://shop.example/icon.png'],
    ['launcherIcon', 'data:image/png;base64,AA', 'data:image/png;base64,AA'],
    ['launcherIcon', 'data:text/html,<script>', undefined],
    ['launcherIcon', 'javascript:x', undefined],
    ['title', '  <b>Shop</b> ', '<b>Shop</b>'],
    ['theme', 'dark', 'dark'],
    ['theme', 'purple', undefined],
    ['history', 'none', 'none'],
    ['somethingElse', 'x', 'x'],
  ];
  for (const [name, raw, expected] of rows) {
    test(`${name}=${raw}`, () => {
      refusals.length = 0;
      const out = read({ [name]: raw }, all, refused);
      assert.deepEqual(out[name], expected);
      assert.deepEqual(refusals, expected === undefined ? [name] : [], 'what is refused is said');
    });
  }
  test('numbers and booleans of init', () => {
    assert.deepEqual(read({ zIndex: 10, openOnLoad: false, token: null, title: undefined }, all, refused), {
      zIndex: 10,
      openOnLoad: false,
    });
  });
});

describe('precedence', () => {
  const info = {
    display_name: 'Bot',
    primary_color: '#123456',
    appearance: {
      position: 'top-left',
      'z-index': '7',
      '--scaibot-bg': '#eee',
      theme: 'dark',
      'token-url': 'https://evil.example',
      position2: 'x',
    },
  };
  test('page before bot before default', () => {
    const bare = settle({}, {}, refused);
    assert.equal(bare.position, 'bottom-right');
    assert.equal(bare.zIndex, 9999);
    const bot = settle({}, info, refused);
    assert.equal(bot.position, 'top-left');
    assert.equal(bot.zIndex, 7);
    assert.equal(bot.primaryColor, undefined, 'a bot’s colour goes below the page’s variable');
    assert.deepEqual(bot.botVariables, { '--sb-bot-primary': '#123456', '--sb-bot-bg': '#eee' });
    const page = settle({ position: 'bottom-left', primaryColor: '#fff' }, info, refused);
    assert.equal(page.position, 'bottom-left');
    assert.equal(page.primaryColor, '#fff');
    assert.equal(page.zIndex, 7);
  });
  test('a bot cannot say where tokens come from', () => {
    assert.equal(settle({}, info, refused).tokenUrl, undefined);
  });
  test('the panel’s share', () => {
    const said = voiceOf(settle({ title: 'Mine' }, info, refused), refused);
    assert.equal(said.title, 'Mine');
    assert.equal(said.theme, 'dark');
    assert.equal(said.locale, 'en');
    assert.equal(voiceOf(settle({}, info, refused), refused).title, 'Bot');
  });
});
