import assert from 'node:assert/strict';
import { describe, test, before } from 'node:test';
import { Window } from 'happy-dom';
import { MarkdownView } from './answer-view.ts';
import { blocks } from './block.ts';
import type { Tree } from './node.ts';
import { safeUrl, disguise } from './url.ts';

before(() => {
  const window = new Window();
  Object.assign(globalThis, { document: window.document });
});

function html(node: Node): string {
  if (node.nodeType === 3) return (node.textContent ?? '').replace(/&/g, '&amp;').replace(/</g, '&lt;');
  const e = node as Element;
  const attributes = [...e.attributes]
    .map((a) => ` ${a.name}="${a.value}"`)
    .sort()
    .join('');
  return `<${e.localName}${attributes}>${kids(e)}</${e.localName}>`;
}
const kids = (e: Element): string => [...e.childNodes].map(html).join('');

function whole(text: string, final = true): string {
  const root = document.createElement('div');
  new MarkdownView(root).show(text, final);
  return kids(root);
}

/** Shown character by character, checking that each prefix looks as if it had come at once. */
function cut(text: string): string {
  const root = document.createElement('div');
  const view = new MarkdownView(root);
  for (let i = 1; i <= text.length; i++) {
    view.show(text.slice(0, i), false);
    assert.equal(kids(root), whole(text.slice(0, i), false), `prefix ${JSON.stringify(text.slice(0, i))}`);
  }
  view.show(text, true);
  return kids(root);
}

const a = (href: string, text: string): string =>
  `<a href="${href}" rel="noopener nofollow" target="_blank">${text}</a>`;
const cite = (n: number): string => `<button class="cite" data-n="${n}" part="citation" type="button">${n}</button>`;
const code = (language: string, text: string): string =>
  `<div class="code" part="code"><div class="code-head"><span>${language}</span><button class="copy" type="button"></button></div><pre tabindex="0"><code>${text}</code></pre></div>`;
const table = (inner: string): string =>
  `<div class="table" part="table" role="region" tabindex="0"><table>${inner}</table></div>`;

const rows: [string, string, string][] = [
  ['text', 'Hello world', '<p>Hello world</p>'],
  ['two paragraphs', 'One\n\nTwo', '<p>One</p><p>Two</p>'],
  [
    'emphasis',
    '*a* **b** ***c*** _d_ __e__ ~~f~~',
    '<p><em>a</em> <strong>b</strong> <em><strong>c</strong></em> <em>d</em> <strong>e</strong> <del>f</del></p>',
  ],
  ['snake_case stays', 'a_b_c and 2 * 3 * 4', '<p>a_b_c and 2 * 3 * 4</p>'],
  ['unclosed', '**a and *b', '<p>**a and *b</p>'],
  ['emphasis within emphasis', '*a **b** c*', '<p><em>a <strong>b</strong> c</em></p>'],
  ['code span', 'Use `a*b*c` and ``x ` y``', '<p>Use <code>a*b*c</code> and <code>x ` y</code></p>'],
  [
    'link',
    'See [the **terms**](https://example.com/a_(b)?q=1 "t").',
    `<p>See ${a('https://example.com/a_(b)?q=1', 'the <strong>terms</strong>')}.</p>`,
  ],
  [
    'bare address',
    'Go to https://example.com/a_b, or (https://example.com/x).',
    `<p>Go to ${a('https://example.com/a_b', 'https://example.com/a_b')}, or (${a('https://example.com/x', 'https://example.com/x')}).</p>`,
  ],
  [
    'angle address',
    '<https://example.com/> and <me@example.com>',
    `<p>${a('https://example.com/', 'https://example.com/')} and ${a('mailto:me@example.com', 'me@example.com')}</p>`,
  ],
  ['relative link', '[a](/pricing) [b](//evil.example) [c](\\\\\\\\evil)', '<p>a b c</p>'],
  ['script link', '[x](javascript:alert(1)) [y](java\tscript:alert(1))', '<p>x [y](java    script:alert(1))</p>'],
  [
    'disguised link',
    '[https://bank.example](https://evil.example/x)',
    `<p>${a('https://evil.example/x', 'https://bank.example')} (evil.example)</p>`,
  ],
  ['credentials', '[shop](https://shop.example@evil.example)', `<p>${a('https://evil.example/', 'shop')}</p>`],
  ['image is a link', '![a cat](https://example.com/cat.png)', `<p>${a('https://example.com/cat.png', 'a cat')}</p>`],
  [
    'image in a link',
    '[![logo](https://a.example/l.png)](https://b.example/)',
    `<p>${a('https://b.example/', 'logo')}</p>`,
  ],
  [
    'citations',
    'Paid within 14 days [1][2]. Also [1, 3].',
    `<p>Paid within 14 days ${cite(1)}${cite(2)}. Also ${cite(1)}${cite(3)}.</p>`,
  ],
  ['brackets that are no citation', '[a] [1234] [ 1 ]', '<p>[a] [1234] [ 1 ]</p>'],
  [
    'html is text',
    '<b onclick="x()">hi</b> &lt;i&gt; &amp; &copy; &#65;',
    '<p>&lt;b onclick="x()">hi&lt;/b> &lt;i> &amp; &amp;copy; A</p>',
  ],
  ['line breaks', 'a  \nb\\\nc<br>d\ne', '<p>a<br></br>b<br></br>c<br></br>d\ne</p>'],
  ['escapes', '\\*a\\* \\[1\\] \\a', '<p>*a* [1] \\a</p>'],
  ['headings', '# A\n## B ##\n###### C\n####### D', '<h3>A</h3><h4>B</h4><h6>C</h6><p>####### D</p>'],
  ['setext', 'Title\n=====\n\nSub\n---\ntext', '<h3>Title</h3><h4>Sub</h4><p>text</p>'],
  ['rule', 'a\n\n---\n\n* * *\nb', '<p>a</p><hr></hr><hr></hr><p>b</p>'],
  ['list', '- a\n- b\n- c', '<ul><li><p>a</p></li><li><p>b</p></li><li><p>c</p></li></ul>'],
  ['loose list', '- a\n\n- b', '<ul class="loose"><li><p>a</p></li><li><p>b</p></li></ul>'],
  ['ordered list', '3. a\n4. b', '<ol start="3"><li><p>a</p></li><li><p>b</p></li></ol>'],
  [
    'nested list',
    '1. a\n   - b\n   - c\n2. d',
    '<ol><li><p>a</p><ul><li><p>b</p></li><li><p>c</p></li></ul></li><li><p>d</p></li></ol>',
  ],
  ['nested by two', '1. a\n  - b\n2. d', '<ol><li><p>a</p><ul><li><p>b</p></li></ul></li><li><p>d</p></li></ol>'],
  [
    'list after text',
    'Do this:\n- a\n- b\n\nDone',
    '<p>Do this:</p><ul><li><p>a</p></li><li><p>b</p></li></ul><p>Done</p>',
  ],
  ['year is no list', 'In\n2024. it was', '<p>In\n2024. it was</p>'],
  ['tasks', '- [ ] a\n- [x] b', '<ul><li><p>☐ a</p></li><li><p>☑ b</p></li></ul>'],
  [
    'code in a list',
    '- a\n  ```js\n  x = 1\n  ```\n- b',
    `<ul><li><p>a</p>${code('js', 'x = 1')}</li><li><p>b</p></li></ul>`,
  ],
  [
    'paragraphs in a list',
    '1. a\n\n   more\n2. b',
    '<ol class="loose"><li><p>a</p><p>more</p></li><li><p>b</p></li></ol>',
  ],
  ['quote', '> a\n> - b\nlazy\n\nc', '<blockquote><p>a</p><ul><li><p>b\nlazy</p></li></ul></blockquote><p>c</p>'],
  ['fence', '```js\nconst a = "<b>";\n\n  x\n```\nafter', `${code('js', 'const a = "&lt;b>";\n\n  x')}<p>after</p>`],
  ['open fence', '~~~\na\n```', code('', 'a\n```')],
  ['fence info', '```"><img src=x onerror=__x(1)>\ncode\n```', code('', 'code')],
  [
    'table',
    '| a | b |\n| --- | :-: |\n| 1 | **2** |\n| x \\| y |\n\nend',
    `${table('<thead><tr><th>a</th><th class="center">b</th></tr></thead><tbody><tr><td>1</td><td class="center"><strong>2</strong></td></tr><tr><td>x | y</td><td class="center"></td></tr></tbody>')}<p>end</p>`,
  ],
  [
    'table after text',
    'Prices:\n| a |\n|---|\n| 1 |',
    `<p>Prices:</p>${table('<thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody>')}`,
  ],
  ['bars without a table', '| a | b |\nno table', '<p>| a | b |\nno table</p>'],
  ['CRLF', 'a\r\n\r\n- b\r\n- c\r', '<p>a</p><ul><li><p>b</p></li><li><p>c</p></li></ul>'],
  ['NUL', 'a\0b', '<p>a\ufffdb</p>'],
  ['emoji and scripts', '**👩‍👩‍👧** *שלום* `漢字`', '<p><strong>👩‍👩‍👧</strong> <em>שלום</em> <code>漢字</code></p>'],
  ['reference link is text', '[click][r]\n\n[r]: javascript:__x(1)', '<p>[click][r]</p><p>[r]: javascript:__x(1)</p>'],
  [
    'autolink script',
    '<javascript:alert(1)> <data:text/html,x>',
    '<p>&lt;javascript:alert(1)> &lt;data:text/html,x></p>',
  ],
  ['empty', '', ''],
  ['only spaces', ' \n \n', ''],
];

describe('markdown', () => {
  for (const [name, text, expected] of rows) {
    test(`${name}, whole`, () => assert.equal(whole(text), expected));
    test(`${name}, character by character`, () => assert.equal(cut(text), expected));
  }

  test('everything together, character by character', () => {
    const text = rows.map((row) => row[1]).join('\n\n');
    assert.equal(cut(text), whole(text));
  });

  test('nodes that were shown stay', () => {
    const root = document.createElement('div');
    const view = new MarkdownView(root);
    view.show('First **par', false);
    const first = root.firstChild;
    const text = first?.firstChild;
    view.show('First **paragraph** and more\n\n- a\n- b', false);
    assert.equal(root.firstChild, first);
    assert.equal(root.firstChild?.firstChild, text);
    const item = root.querySelector('li');
    view.show('First **paragraph** and more\n\n- a\n- b\n- c', true);
    assert.equal(root.querySelector('li'), item);
  });

  test('withdrawn text is shown anew', () => {
    const root = document.createElement('div');
    const view = new MarkdownView(root);
    view.show('I think **so**\n\nyes', false);
    view.show('No.', false);
    view.show('No.', true);
    assert.equal(kids(root), '<p>No.</p>');
  });
});

describe('an answer does not flicker', () => {
  const shown: [string, string][] = [
    ['**bo', '<p><strong>bo</strong></p>'],
    ['**bold*', '<p><strong>bold</strong></p>'],
    ['a **', '<p>a </p>'],
    ['`co', '<p><code>co</code></p>'],
    ['see [the ter', '<p>see the ter</p>'],
    ['see [the](https://exam', '<p>see the</p>'],
    ['text [1', '<p>text 1</p>'],
    ['a\n\n-', '<p>a</p>'],
    ['a\n\n1.', '<p>a</p>'],
    ['a\n\n##', '<p>a</p>'],
    ['a\n\n| x | y |\n| --', '<p>a</p>'],
    ['```js\nx\n``', code('js', 'x')],
  ];
  for (const [text, expected] of shown) test(JSON.stringify(text), () => assert.equal(whole(text, false), expected));
});

function depth(tree: Tree): number {
  if (typeof tree === 'string') return 0;
  return 1 + tree.kids.reduce((most, kid) => Math.max(most, depth(kid)), 0);
}

describe('text that wants to be slow', () => {
  const big: [string, string][] = [
    ['brackets', '['.repeat(1_000_000)],
    ['closed brackets', '[]'.repeat(300_000)],
    ['stars', '*'.repeat(500_000)],
    ['spaced stars', '*a '.repeat(200_000)],
    ['nested emphasis', '*a '.repeat(20_000) + 'b*'.repeat(20_000)],
    ['mixed emphasis', '*_'.repeat(50_000) + 'x' + '_*'.repeat(50_000)],
    ['backticks', '`a``b'.repeat(100_000)],
    ['unfinished links', '[a](b'.repeat(200_000)],
    ['quotes', '>'.repeat(10_000)],
    ['nested lists', '- '.repeat(10_000)],
    ['indented lists', Array.from({ length: 300 }, (_, i) => `${'  '.repeat(i)}- x`).join('\n')],
    ['columns', `${'|a'.repeat(10_000)}|\n${'|-'.repeat(10_000)}|\n`],
    ['ampersands', '&'.repeat(300_000)],
    ['angles', '<a:'.repeat(200_000)],
    ['spaces', `# ${' '.repeat(300_000)}x`],
    ['line spaces', `a${' '.repeat(100_000)}\n`.repeat(5)],
    ['addresses', 'https://'.repeat(50_000)],
  ];
  for (const [name, text] of big) {
    test(name, () => {
      const start = process.cpuUsage(); // not the clock: a busy machine is not slow text
      const lines = text.split('\n');
      const trees = [...blocks(lines, false), ...blocks(lines, true)].map((block) => block.tree);
      const spent = process.cpuUsage(start).user / 1000;
      assert.ok(spent < 2000, `${Math.round(spent)} ms`);
      assert.ok(Math.max(...trees.map(depth)) < 60, 'the tree is not deep');
    });
  }
});

describe('safeUrl', () => {
  const good = [
    'http://a.example/',
    'https://a.example/x?y#z',
    'mailto:a@b.example',
    'tel:+123',
    'HTTPS://A.example/',
    ' https://a.example/ ',
  ];
  const bad = [
    'javascript:x',
    'JaVaScript:x',
    '\u0001javascript:x',
    'java\nscript:x',
    'data:text/html,x',
    'vbscript:x',
    'blob:https://a/x',
    'file:///etc',
    '//evil',
    '\\\\evil',
    '/a',
    'a',
    '',
    'https://',
    'javascript&colon;x',
    'about:blank',
    'intent://x',
  ];
  for (const url of good) test(`allows ${url}`, () => assert.ok(safeUrl(url)));
  for (const url of bad) test(`refuses ${JSON.stringify(url)}`, () => assert.equal(safeUrl(url), undefined));
  test('what a browser reads as https is https', () => assert.equal(safeUrl('https:evil')?.host, 'evil'));
  test('a text that names another host is not believed', () => {
    const url = safeUrl('https://evil.example/');
    assert.ok(url);
    assert.equal(disguise('https://bank.example/login', url), 'evil.example');
    assert.equal(disguise('bank.example', url), 'evil.example');
    assert.equal(disguise('evil.example', url), '');
    assert.equal(disguise('our bank', url), '');
  });
});
