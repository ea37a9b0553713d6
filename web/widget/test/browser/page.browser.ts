/** The widget as a guest of the page: policies, loading, looks, keyboard, leaving nothing. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { publicName, variables, type VariableName } from '../../src/table/variables.ts';
import { parts } from '../../src/table/parts.ts';
import { answer, bench, chat, input, launcher, openPanel, say, until } from '../bench.ts';

const b = bench();
beforeEach(() => b.reset());

const style = (page: Page, selector: string, property: string): Promise<string> =>
  page
    .locator(selector)
    .first()
    .evaluate((e, p) => getComputedStyle(e).getPropertyValue(p), property);

describe('policies', () => {
  for (const csp of ['tutorial', 'strict', 'trusted', 'nonce']) {
    for (const coep of csp === 'strict' ? ['', '&coep=1'] : ['']) {
      test(`${csp}${coep && ' with COEP'}: every feature, no violation`, async () => {
        const { page, context, said, violations, foreign } = await b.visit(
          `?csp=${csp}${coep}&data-locale=de&data-launcher-icon=robot`,
        );
        await openPanel(page);
        await chat(page, 'how do I return an order?', 'See the terms');
        await page.locator('.cite').first().click();
        await page.locator('.sources[open]').waitFor();
        await page.locator('[data-rate=up]').last().click();
        await page.getByLabel('Antwort anhalten').or(page.getByLabel('Senden')).waitFor();
        await chat(page, 'raw <img src=x onerror=alert(1)> <b style="color:red">b</b>', 'onerror');
        await page.evaluate(() => window.ScaiBot?.doctor());
        await page.evaluate(() => window.ScaiBot?.destroy());
        assert.deepEqual(await violations(), []);
        assert.deepEqual(foreign, []);
        assert.deepEqual(
          said.filter((line) => !line.startsWith('scaibot doctor: ok') && !line.includes('no-https')),
          [],
        );
        await context.close();
      });
    }
  }

  test('a policy that forbids the host is named, once and clearly', async () => {
    const { page, context, said } = await b.visit('?csp=noconnect');
    await openPanel(page);
    await say(page, 'hello');
    await until(() => said.some((line) => line.startsWith('scaibot[policy-blocked]')), 'the message');
    const line = said.find((l) => l.startsWith('scaibot[policy-blocked]')) ?? '';
    assert.match(line, new RegExp(`connect-src must allow ${b.stub.host}`));
    assert.match(line, /docs\/reference\/widget#policy-blocked/);
    assert.equal(said.filter((l) => l.startsWith('scaibot[policy-blocked]')).length, 1);
    await context.close();
  });
});

describe('loading', () => {
  test('before a click: one file, the token, one embed-info, nothing to /chat', async () => {
    const { page, context } = await b.visit();
    await page.locator(launcher).waitFor();
    await page.waitForTimeout(600);
    const paths = b.stub.log.map((l) => l.path).filter((path) => path !== '/');
    assert.deepEqual(paths.sort(), [
      '/chat-token',
      '/static/modules/scaibot/widget.js',
      '/v1/modules/scaibot/bots/bot_demo/embed-info',
    ]);
    assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length + document.cookie.length), 0);
    await openPanel(page);
    await page.waitForTimeout(300);
    assert.ok(!b.stub.log.some((l) => l.path.includes('/chat/')), 'an unknown visitor has nothing to restore');
    assert.equal(
      await page.evaluate(() => localStorage.length + sessionStorage.length + document.cookie.length),
      0,
      'nothing is kept before the first message',
    );
    await chat(page, 'hello');
    assert.ok((await page.evaluate(() => localStorage.length)) > 0);
    await context.close();
  });

  test('a bot that is missing or a draft takes itself away', async () => {
    for (const [bot, code] of [
      ['missing', 'bot-not-found'],
      ['draft', 'bot-not-active'],
    ] as const) {
      b.stub.control.bot = bot;
      const { page, context, said } = await b.visit();
      await until(() => said.some((line) => line.startsWith(`scaibot[${code}]`)), code);
      assert.equal(await page.locator('.scaibot-launcher').count(), 0);
      await context.close();
    }
  });

  test('no layout shift, also when the settings arrive', async () => {
    b.stub.control.info = { primary_color: '#ff6600' };
    const { page, context } = await b.visit();
    await page.locator(launcher).waitFor();
    await until(
      async () => (await style(page, '.scaibot-launcher', 'background-color')) === 'rgb(255, 102, 0)',
      'the bot’s colour',
    );
    const shift = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          let sum = 0;
          new PerformanceObserver((list) => {
            for (const e of list.getEntries()) sum += (e as unknown as { value: number }).value;
          }).observe({ type: 'layout-shift', buffered: true });
          setTimeout(() => resolve(sum), 200);
        }),
    );
    assert.equal(shift, 0);
    await context.close();
  });

  test('the queue from before the script, and a tag without attributes', async () => {
    b.stub.control.js =
      'window.ScaiBot = {q: [["on", "open", () => { window.opened = true; }], ["init", {botId: "bot_demo", tokenUrl: "/chat-token", title: "Queued"}], ["open"]]};';
    b.stub.control.page = (s) =>
      `<!doctype html><html lang="en"><title>t</title><body><p>x</p><script src="/page.js"></script><script src="${s.host}/static/modules/scaibot/widget.js" async></script></body></html>`;
    const { page, context } = await b.visit();
    await page.locator(input).waitFor();
    assert.equal(await page.locator('.title').textContent(), 'Queued');
    assert.equal(await page.evaluate(() => (window as unknown as { opened?: boolean }).opened), true);
    await context.close();
  });

  test('a second tag with the same bot is ignored, another bot stacks', async () => {
    const { page, context, said } = await b.visit();
    await page.locator(launcher).waitFor();
    const add = (bot: string): Promise<void> =>
      page.evaluate(
        ([id, host]) => {
          const s = document.createElement('script');
          s.src = `${host ?? ''}/static/modules/scaibot/widget.js`;
          Object.assign(s.dataset, { botId: id, tokenUrl: '/chat-token' });
          document.body.append(s);
        },
        [bot, b.stub.host],
      );
    await add('bot_demo');
    await until(() => said.some((line) => line.startsWith('scaibot[second-tag]')), 'the warning');
    await add('bot_other');
    await until(async () => (await page.locator('.scaibot-launcher').count()) === 2, 'two launchers');
    const boxes = await page
      .locator('.scaibot-launcher')
      .evaluateAll((all) => all.map((e) => e.getBoundingClientRect().right));
    assert.equal((boxes[0] ?? 0) - (boxes[1] ?? 0), 68);
    await page.evaluate(() => window.ScaiBot?.get('bot_demo')?.destroy());
    assert.equal(await page.locator('.scaibot-launcher').count(), 1);
    assert.equal(
      await page.locator('.scaibot-launcher').evaluate((e) => innerWidth - e.getBoundingClientRect().right),
      20,
    );
    await context.close();
  });

  test('a page that swaps its body keeps its launcher', async () => {
    const { page, context } = await b.visit();
    await page.locator(launcher).waitFor();
    await page.evaluate(() => {
      const body = document.createElement('body');
      body.textContent = 'another page';
      document.documentElement.replaceChild(body, document.body);
    });
    await page.locator(launcher).waitFor();
    await page.evaluate(() => (document.body.textContent = 'emptied'));
    await page.locator(launcher).waitFor();
    await context.close();
  });
});

describe('placement', () => {
  test('position, offsets, z-index', async () => {
    for (const [position, edges] of [
      ['bottom-right', ['right', 'bottom']],
      ['bottom-left', ['left', 'bottom']],
      ['top-right', ['right', 'top']],
      ['top-left', ['left', 'top']],
    ] as const) {
      const { page, context } = await b.visit(
        `?data-position=${position}&data-offset-x=30&data-offset-y=40px&data-z-index=10`,
      );
      await openPanel(page);
      const at = await page.locator('.scaibot-launcher').evaluate((e) => {
        const r = e.getBoundingClientRect();
        return {
          left: r.left,
          top: r.top,
          right: innerWidth - r.right,
          bottom: innerHeight - r.bottom,
          z: getComputedStyle(e).zIndex,
        };
      });
      assert.equal(at[edges[0]], 30);
      assert.equal(at[edges[1]], 40);
      assert.equal(at.z, '10');
      assert.equal(await style(page, '.scaibot-panel', 'z-index'), '10');
      const panel = await page.locator('.scaibot-panel').boundingBox();
      assert.ok(
        panel && panel.y >= 0 && panel.y + panel.height <= 860 && panel.x >= 0 && panel.x + panel.width <= 1280,
      );
      await context.close();
    }
  });

  test('inline: waits for its element, goes and comes with it', async () => {
    const { page, context, said } = await b.visit('?data-mode=inline&data-mount=%23my-chat');
    await page.waitForTimeout(300);
    assert.equal(await page.locator('.scaibot-panel').count(), 0);
    const put = (): Promise<void> =>
      page.evaluate(() => {
        const div = document.createElement('div');
        div.id = 'my-chat';
        div.style.height = '600px';
        document.querySelector('main')?.prepend(div);
      });
    await put();
    await page.locator(input).waitFor();
    assert.equal(await page.locator('.scaibot-launcher').count(), 0);
    assert.equal((await page.locator('.scaibot-panel').boundingBox())?.height, 600);
    assert.equal(await page.locator('.panel').getAttribute('role'), 'region');
    await chat(page, 'hello');
    await page.locator(input).press('Escape');
    assert.ok(await page.locator(input).isVisible(), 'there is nothing to close');
    await page.evaluate(() => document.getElementById('my-chat')?.remove());
    await put();
    await page.locator(input).waitFor();
    await answer(page, 'You said: hello');
    assert.ok(!said.some((line) => line.includes('mount-missing')));
    await context.close();
  });

  test('fullscreen fills the window and is open', async () => {
    const { page, context } = await b.visit('?data-mode=fullscreen');
    await page.locator(input).waitFor();
    assert.deepEqual(await page.locator('.scaibot-panel').boundingBox(), { x: 0, y: 0, width: 1280, height: 860 });
    assert.equal(await page.locator('.panel').getAttribute('aria-modal'), 'true');
    await context.close();
  });

  test('open-on-load takes no focus', async () => {
    const { page, context } = await b.visit('?data-open-on-load=true');
    await page.locator(input).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement === document.body), true);
    await context.close();
  });

  test('a phone gets a sheet', async () => {
    const { page, context } = await b.visit('', {
      viewport: { width: 390, height: 780 },
      hasTouch: true,
      isMobile: true,
    });
    await page.locator(launcher).tap();
    await page.locator(input).waitFor();
    assert.deepEqual(await page.locator('.scaibot-panel').boundingBox(), { x: 0, y: 0, width: 390, height: 780 });
    assert.ok(parseFloat(await style(page, input, 'font-size')) >= 16, 'no zoom on focus');
    // While it rises the panel is scaled down a little.
    await page.locator('.panel').evaluate(async (e) => Promise.all(e.getAnimations().map((a) => a.finished)));
    for (const button of await page.locator('.scaibot-panel button:visible').all()) {
      const box = await button.boundingBox();
      assert.ok(
        box && box.width >= 44 && box.height >= 44,
        `44 pixels: ${await button.evaluate((e) => e.outerHTML.slice(0, 80))}`,
      );
    }
    await page.locator('.scaibot-panel').getByLabel('Close chat').tap();
    await page.locator(input).waitFor({ state: 'hidden' });
    await context.close();
  });
});

describe('looks', () => {
  /** Where a variable must show: element, property, value, and what is then computed. */
  const probes: Record<VariableName, [string, string, string, string]> = {
    primary: ['.composer button', 'background-color', '#ff0000', 'rgb(255, 0, 0)'],
    'primary-text': ['.composer button', 'color', '#00ff00', 'rgb(0, 255, 0)'],
    bg: ['.panel', 'background-color', '#fafad2', 'rgb(250, 250, 210)'],
    text: ['.root', 'color', '#330033', 'rgb(51, 0, 51)'],
    muted: ['.foot', 'color', '#123456', 'rgb(18, 52, 86)'],
    border: ['.head', 'border-bottom-color', '#123456', 'rgb(18, 52, 86)'],
    surface: ['.composer', 'background-color', '#123456', 'rgb(18, 52, 86)'],
    link: ['.md a', 'color', '#123456', 'rgb(18, 52, 86)'],
    'user-bg': ['.user .bubble', 'background-color', '#123456', 'rgb(18, 52, 86)'],
    'user-text': ['.user .bubble', 'color', '#123456', 'rgb(18, 52, 86)'],
    'header-bg': ['.head', 'background-color', '#123456', 'rgb(18, 52, 86)'],
    'header-text': ['.head', 'color', '#fedcba', 'rgb(254, 220, 186)'],
    danger: ['.foot .bad', 'color', '#123456', 'rgb(18, 52, 86)'],
    font: ['.root', 'font-family', 'Georgia, serif', 'Georgia, serif'],
    'font-size': ['.root', 'font-size', '19px', '19px'],
    'border-radius': ['.panel', 'border-top-left-radius', '3px', '3px'],
    width: ['.scaibot-panel', 'width', '333px', '333px'],
    height: ['.scaibot-panel', 'height', '444px', '444px'],
    shadow: ['.panel', 'box-shadow', '0 0 7px red', 'rgb(255, 0, 0) 0px 0px 7px 0px'],
    'launcher-size': ['.scaibot-launcher', 'width', '77px', '77px'],
  };

  test('every variable of the page changes what it says, and comes before the bot’s', async () => {
    b.stub.control.info = {
      appearance: Object.fromEntries(
        (Object.keys(variables) as VariableName[]).map((name) => [
          publicName(name),
          name === 'font'
            ? 'monospace'
            : /size|radius|width|height/.test(name)
              ? '21px'
              : name === 'shadow'
                ? 'none'
                : '#777',
        ]),
      ),
    };
    b.stub.control.css = `:root{${(Object.keys(variables) as VariableName[]).map((name) => `${publicName(name)}:${probes[name][2]}`).join(';')}}`;
    const { page, context } = await b.visit('?css');
    await openPanel(page);
    await chat(page, 'how do I return an order?', 'See the terms');
    await say(page, 'fail');
    await page.locator('.foot .bad').waitFor();
    for (const [name, [selector, property, , expected]] of Object.entries(probes))
      assert.equal(await style(page, selector, property), expected, name);
    await context.close();
  });

  test('every variable of the bot shows where the page says nothing', async () => {
    b.stub.control.info = {
      appearance: Object.fromEntries(
        (Object.keys(variables) as VariableName[]).map((name) => [publicName(name), probes[name][2]]),
      ),
    };
    const { page, context } = await b.visit();
    await openPanel(page);
    await chat(page, 'how do I return an order?', 'See the terms');
    await say(page, 'fail');
    await page.locator('.foot .bad').waitFor();
    for (const [name, [selector, property, , expected]] of Object.entries(probes)) {
      await until(async () => (await style(page, selector, property)) === expected, `${name} is ${expected}`, 2000);
    }
    await context.close();
  });

  test('every part can be styled', async () => {
    const rules = Object.keys(parts).map(
      (part) => `.scaibot-panel::part(${part}),.scaibot-launcher::part(${part}){outline-color:rgb(1,2,3)!important}`,
    );
    b.stub.control.css = rules.join('\n');
    b.stub.control.info = { welcome_message: 'Hi' };
    const { page, context } = await b.visit('?css');
    await openPanel(page);
    await page.locator('.suggestions button').first().waitFor();
    const seen = new Set<string>();
    const look = async (): Promise<void> => {
      const found = await page.evaluate(() => {
        const out: [string, string][] = [];
        for (const host of document.querySelectorAll('.scaibot-panel,.scaibot-launcher')) {
          for (const e of host.shadowRoot?.querySelectorAll('[part]') ?? [])
            for (const p of e.part) out.push([p, getComputedStyle(e).outlineColor]);
        }
        return out;
      });
      for (const [part, colour] of found) {
        assert.equal(colour, 'rgb(1, 2, 3)', part);
        seen.add(part);
      }
    };
    await look();
    await chat(page, 'how do I return an order?', 'See the terms');
    await page.locator('.sources').waitFor();
    await look();
    assert.deepEqual(
      [...seen].sort(),
      [...Object.keys(parts), ...(seen.has('bubble-system') ? ['bubble-system'] : [])].sort(),
    );
    await context.close();
  });

  test('the launcher’s paint is the page’s, its place is not', async () => {
    b.stub.control.css = `.scaibot-launcher{box-shadow:0 10px 24px rgba(0,0,0,.18);background:rgb(1,2,3);position:static;left:0;width:400px}
      *{font-size:40px!important;letter-spacing:2px!important;line-height:3!important}button,svg,textarea{display:none!important}div{float:left}`;
    const { page, context } = await b.visit('?css');
    await openPanel(page);
    assert.match(await style(page, '.scaibot-launcher', 'box-shadow'), /rgba\(0, 0, 0, 0\.18\) 0px 10px 24px/);
    assert.equal(await style(page, '.scaibot-launcher', 'background-color'), 'rgb(1, 2, 3)');
    assert.equal(await style(page, '.scaibot-launcher', 'position'), 'fixed');
    assert.equal(await style(page, '.scaibot-launcher', 'width'), '56px');
    assert.equal(await style(page, '.title', 'font-size'), '15px');
    assert.equal(await style(page, '.title', 'letter-spacing'), '-0.15px');
    await context.close();
  });

  test('text on the accent reads, whatever the accent', async () => {
    for (const [colour, text] of [
      ['#ffd400', 0],
      ['#000080', 1],
      ['#ff6600', 0],
      ['#4f46e5', 1],
    ] as const) {
      const { page, context } = await b.visit(`?data-primary-color=${encodeURIComponent(colour)}`);
      await openPanel(page);
      for (const selector of ['.composer button', launcher, '.face']) {
        const lightness = await page
          .locator(selector)
          .first()
          .evaluate((e) => {
            const c = document.createElement('canvas').getContext('2d');
            if (!c) return -1;
            c.fillStyle = getComputedStyle(e).color;
            c.fillRect(0, 0, 1, 1);
            return (c.getImageData(0, 0, 1, 1).data[0] ?? -255) / 255;
          });
        assert.equal(lightness, text, `${selector} on ${colour}`);
      }
      await context.close();
    }
  });

  test('theme follows the system, or what was said', async () => {
    for (const [query, scheme, dark] of [
      ['', 'dark', true],
      ['', 'light', false],
      ['?data-theme=light', 'dark', false],
      ['?data-theme=dark', 'light', true],
    ] as const) {
      const { page, context } = await b.visit(query, { colorScheme: scheme });
      await openPanel(page);
      assert.equal(await page.locator('.root').getAttribute('data-theme'), dark ? 'dark' : 'light');
      if (query === '') {
        await page.emulateMedia({ colorScheme: dark ? 'light' : 'dark' });
        await page.locator(`.root[data-theme=${dark ? 'light' : 'dark'}]`).waitFor();
      }
      await context.close();
    }
  });

  test('words, hints and names', async () => {
    const { page, context } = await b.visit(
      '?data-locale=auto&data-title=Shop+%3Cb%3E&data-welcome-message=**Hi**&data-placeholder=Ask!',
      { locale: 'fr-FR' },
    );
    await page.evaluate(() => (document.documentElement.lang = 'nl'));
    await openPanel(page);
    await page.getByLabel('Versturen').waitFor();
    assert.equal(await page.locator('.title').textContent(), 'Shop <b>');
    assert.equal(await page.locator(input).getAttribute('placeholder'), 'Ask!');
    await page.locator('.bubble strong', { hasText: 'Hi' }).waitFor();
    await page.locator('.suggestions button').first().click();
    await answer(page, 'You can return');
    assert.equal(await page.locator('.suggestions').isVisible(), false);
    await context.close();
  });

  test('a launcher icon by address, and one that cannot be had', async () => {
    b.stub.control.css = '';
    for (const [icon, image] of [
      ['data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', true],
      ['/missing.png', false],
    ] as const) {
      const { page, context } = await b.visit(`?data-launcher-icon=${encodeURIComponent(icon)}`);
      await page.locator(`${launcher} ${image ? 'img' : 'svg'}`).waitFor();
      await context.close();
    }
  });
});

describe('keyboard and screen reader', () => {
  test('opens by key, focus goes in, Escape closes, focus comes back', async () => {
    const { page, context } = await b.visit();
    await page.locator(launcher).waitFor();
    await page.locator('#page-button').focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator(input).waitFor();
    const active = (): Promise<string | undefined> =>
      page.evaluate(() => {
        let a = document.activeElement;
        while (a?.shadowRoot?.activeElement) a = a.shadowRoot.activeElement;
        return a?.tagName;
      });
    assert.equal(await active(), 'TEXTAREA');
    assert.equal(await page.locator(launcher).getAttribute('aria-expanded'), 'true');
    await page.keyboard.type('hello');
    await page.keyboard.press('Enter');
    await answer(page, 'You said: hello');
    assert.equal(await active(), 'TEXTAREA', 'the focus stays in the input');
    await page.keyboard.press('Escape');
    await page.locator(input).waitFor({ state: 'hidden' });
    assert.equal(await page.evaluate(() => document.activeElement?.className), 'scaibot-launcher');
    await context.close();
  });

  test('Shift+Enter breaks the line', async () => {
    const { page, context } = await b.visit();
    await openPanel(page);
    await page.keyboard.type('a');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('b');
    assert.equal(await page.locator(input).inputValue(), 'a\nb');
    await context.close();
  });

  test('a sheet keeps the focus', async () => {
    const { page, context } = await b.visit('?data-mode=fullscreen');
    await page.locator(input).waitFor();
    await page.locator(input).focus();
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press('Tab');
      assert.equal(await page.evaluate(() => document.activeElement?.className), 'scaibot-panel');
    }
    await context.close();
  });

  test('sentences are announced, not tokens', async () => {
    b.stub.control.pace = 20;
    const { page, context } = await b.visit();
    await openPanel(page);
    await page.evaluate(() => {
      const region = document.querySelector('.scaibot-panel')?.shadowRoot?.querySelector('[aria-live=polite]');
      const w = window as unknown as { heard: string[] };
      w.heard = [];
      if (region)
        new MutationObserver((all) =>
          all.forEach((m) => m.addedNodes.forEach((n) => w.heard.push(n.textContent ?? ''))),
        ).observe(region, { childList: true });
    });
    await say(page, 'how do I return an order?');
    await page.locator('.sources').waitFor();
    const heard = await page.evaluate(() => (window as unknown as { heard: string[] }).heard);
    assert.ok(heard.length >= 2 && heard.length < 12, `${heard.length} announcements`);
    assert.match(heard[0] ?? '', /^You can return an order within 30 days \./);
    assert.match(heard.join(' '), /See the terms for details\.$/);
    await context.close();
  });

  for (const [name, query, options] of [
    ['light', '', {}],
    ['dark', '', { colorScheme: 'dark' }],
    ['a pale accent', '?data-primary-color=%23ffe066', {}],
    ['phone', '', { viewport: { width: 390, height: 780 } }],
    ['inline', '?mount&data-mode=inline&data-mount=%23my-chat', {}],
  ] as const) {
    test(`axe finds nothing: ${name}`, async () => {
      const { page, context } = await b.visit(query, options);
      if (!query.includes('inline')) await openPanel(page);
      await page.locator(input).waitFor();
      const check = async (state: string): Promise<void> => {
        await page.evaluate(axe.source);
        const found = await page.evaluate(async () => {
          const { axe: a } = window as unknown as {
            axe: {
              run(
                where: object,
                how: object,
              ): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
            };
          };
          const result = await a.run(
            { exclude: ['main > h1', 'main > p', 'main > button'] },
            { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] },
          );
          return result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html + n.failureSummary).join(' | ')}`);
        });
        assert.deepEqual(found, [], state);
      };
      await page.waitForTimeout(300); // the opening movement is over
      await check('empty');
      await chat(page, 'how do I return an order?', 'See the terms');
      await page.locator('.sources summary').click();
      await check('answer');
      await say(page, 'fail');
      await page.locator('.retry').waitFor();
      await check('failed');
      await context.close();
    });
  }
});

describe('leaving', () => {
  test('50 times destroyed and put back, nothing is left', async () => {
    const { page, context } = await b.visit();
    await openPanel(page);
    await chat(page, 'hello');
    const cdp = await context.newCDPSession(page);
    await cdp.send('Performance.enable');
    const cycle = async (): Promise<void> => {
      await page.evaluate(() => {
        window.ScaiBot?.destroy();
        window.ScaiBot?.init({ botId: 'bot_demo' });
      });
      await page.evaluate(() => window.ScaiBot?.open());
      await page.locator(input).waitFor();
      await answer(page, 'You said: hello');
    };
    const measure = async (): Promise<Record<string, number>> => {
      await page.evaluate(() => window.ScaiBot?.destroy());
      await page.evaluate(() => performance.clearResourceTimings()); // the browser's own notes of each fetch
      await page.waitForTimeout(400);
      for (let i = 0; i < 3; i++) await cdp.send('HeapProfiler.collectGarbage');
      const { metrics } = await cdp.send('Performance.getMetrics');
      const sheets = await page.evaluate(
        () => document.adoptedStyleSheets.length + document.querySelectorAll('[class*=scaibot]').length,
      );
      return { ...Object.fromEntries(metrics.map((m) => [m.name, m.value])), sheets };
    };
    for (let i = 0; i < 12; i++) await cycle(); // code is compiled and caches are filled
    const first = await measure();
    for (let i = 0; i < 50; i++) await cycle();
    const last = await measure();
    assert.equal(last.sheets, 0);
    assert.ok((last.Nodes ?? 0) - (first.Nodes ?? 0) <= 0, `nodes ${first.Nodes} → ${last.Nodes}`);
    assert.ok(
      (last.JSEventListeners ?? 0) - (first.JSEventListeners ?? 0) <= 0,
      `listeners ${first.JSEventListeners} → ${last.JSEventListeners}`,
    );
    assert.ok(
      (last.JSHeapUsedSize ?? 0) - (first.JSHeapUsedSize ?? 0) < 100_000,
      `heap ${first.JSHeapUsedSize} → ${last.JSHeapUsedSize}`,
    );
    await context.close();
  });

  test('destroyed in the middle of an answer, the stream is closed', async () => {
    b.stub.control.pace = 30;
    const { page, context, said } = await b.visit();
    await openPanel(page);
    await say(page, 'how do I return an order?');
    await answer(page, 'You');
    await page.evaluate(() => window.ScaiBot?.destroy());
    const before = b.stub.log.length;
    await page.waitForTimeout(600);
    assert.equal(b.stub.log.length, before, 'no call after it');
    assert.deepEqual(said, []);
    await context.close();
  });

  test('init takes over the tag’s looks and address, never its token or user', async () => {
    const { page, context } = await b.visit('?data-position=top-left&data-title=Tagged&data-user-id=usr_1');
    await openPanel(page);
    await page.evaluate(() => window.ScaiBot?.destroy());
    const token = b.stub.mint().token;
    await page.evaluate((t) => window.ScaiBot?.init({ token: t, botId: 'bot_demo' }), token);
    await page.locator(launcher).click();
    await page.locator(input).waitFor();
    assert.equal(await page.locator('.title').textContent(), 'Tagged');
    assert.ok(((await page.locator('.scaibot-launcher').boundingBox())?.x ?? 99) < 50);
    await chat(page, 'hello');
    const call = b.stub.chats().at(-1);
    assert.equal(call?.headers.authorization, `Bearer ${token}`);
    assert.equal(call.body?.visitor, undefined);
    await context.close();
  });
});
