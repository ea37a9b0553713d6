/** What page and bot say of looks and places; the keyboard; the screen reader; the phone. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

import { variables, publicName, type VariableName } from '../widget/src/table/variables.ts';
import { until } from './installation.ts';
import { visit, type Visit } from './visit.ts';
import { own, world } from './world.ts';

visit('data-position puts launcher and panel into each corner', async (v) => {
  const { bot, site } = await world();
  for (const [position, right, bottom] of [
    ['bottom-right', true, true],
    ['bottom-left', false, true],
    ['top-right', true, false],
    ['top-left', false, false],
  ] as const) {
    await v.page.goto(site.page(bot, { attributes: { position } }));
    await v.open();
    for (const box of [await v.launcher.boundingBox(), await v.panel.boundingBox()]) {
      assert.ok(box, position);
      const [x, y] = [box.x + box.width / 2 > 640, box.y + box.height / 2 > 430];
      assert.deepEqual([x, y], [right, bottom], `${position}: ${JSON.stringify(box)}`);
      assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= 1280 && box.y + box.height <= 860, 'in the window');
    }
    await v.shot(position);
  }
});

visit('colour, icon, open on load, locale', async (v) => {
  const { scaigrid, id, site } = await own();
  const attributes = {
    'primary-color': '#b91c1c',
    'launcher-icon': 'question',
    'open-on-load': 'true',
    locale: 'de',
    title: 'Rückgaben',
    placeholder: 'Frag mich',
  };
  await v.page.goto(site.page(id, { attributes }));
  await v.input.waitFor();
  assert.equal(await v.page.evaluate(() => document.activeElement === document.body), true, 'takes no focus');
  for (const box of [v.launcher, v.part('send')])
    assert.equal(await box.evaluate((e) => getComputedStyle(e).backgroundColor), 'rgb(185, 28, 28)');
  await v.page.getByRole('button', { name: 'Senden' }).waitFor();
  assert.equal(await v.input.getAttribute('placeholder'), 'Frag mich');
  assert.equal(await v.part('title').textContent(), 'Rückgaben');
  assert.equal(await v.panel.evaluate((e) => e.closest('[lang]')?.getAttribute('lang')), 'de');
  assert.equal(await v.launcher.locator('button').getAttribute('aria-expanded'), 'true');
  assert.equal(
    await v.launcher.locator('button svg').evaluate((e) => getComputedStyle(e).opacity),
    '0',
    'a chevron in its place',
  );
  await v.says('Guten Tag');
  assert.equal((await scaigrid.conversations(id))[0]?.locale, 'de');
  await v.shot('german');
  await v.page.getByRole('button', { name: 'Rückgaben' }).click();
  await v.panel.waitFor({ state: 'hidden' });
  assert.equal(
    await v.launcher
      .locator('button svg circle, button svg path')
      .first()
      .evaluate((e) => e.getAttribute('d')?.slice(0, 5)),
    'M9.1 ',
  );
});

visit('a launcher icon by address', async (v) => {
  const { bot, site } = await world();
  site.file(
    '/icon.svg',
    'image/svg+xml',
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="4" fill="gold"/></svg>',
  );
  const seen = v.page.waitForResponse(/icon\.svg/);
  await v.page.goto(site.page(bot, { attributes: { 'launcher-icon': '/icon.svg' } }));
  assert.equal((await seen).status(), 200);
  await v.launcher.locator('img').waitFor();
  await v.shot('icon');
});

visit('values that are none are refused, and everything else works', async (v) => {
  const { bot, site } = await world();
  const attributes = {
    'primary-color': 'red;background:url(//evil.example/x)',
    position: '"><script>alert(1)</script>',
    'z-index': '10;color:red',
    locale: '../../etc',
  };
  await v.page.goto(site.page(bot, { attributes }));
  await v.open();
  const style = await v.launcher.evaluate((e) => [getComputedStyle(e).zIndex, getComputedStyle(e).backgroundColor]);
  assert.deepEqual(style, ['9999', 'rgb(79, 70, 229)']);
  await v.tells('option-refused');
  assert.equal(await v.part('send').getAttribute('aria-label'), 'Send');
});

visit('every variable of :root reaches the chat, over what the bot says', async (v) => {
  const values = Object.fromEntries(
    (Object.keys(variables) as VariableName[]).map((name, i) => [
      publicName(name),
      name === 'font'
        ? 'Georgia, serif'
        : name === 'shadow'
          ? '0 0 7px red'
          : /size|radius|width|height/.test(name)
            ? `${name === 'width' ? 333 : name === 'height' ? 444 : 19 + i * 2}px`
            : `rgb(${i}, 100, 200)`,
    ]),
  );
  const { id, site } = await own({ appearance: { '--scaibot-bg': '#000000' }, primary_color: '#00ff00' });
  const head = `<style>:root{${Object.entries(values)
    .map(([k, x]) => `${k}:${x}`)
    .join(';')}}</style>`;
  await v.page.goto(site.page(id, { head }));
  await v.open();
  // The widget's own browser tests look at each variable's element; here it is enough that none is lost on the way.
  const got = await v.panel.evaluate((e, names) => {
    const style = getComputedStyle(e);
    return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(name)]));
  }, Object.keys(values));
  assert.deepEqual(got, values);
  assert.equal(await v.panel.evaluate((e) => getComputedStyle(e).backgroundColor), values['--scaibot-bg']);
  assert.equal(await v.launcher.evaluate((e) => getComputedStyle(e).backgroundColor), values['--scaibot-primary']);
  const box = await v.panel.boundingBox();
  assert.deepEqual([box?.width, box?.height], [333, 444]);
});

visit('what the bot’s settings say shows where the page says nothing', async (v) => {
  const { scaigrid, id, site } = await own({
    display_name: 'Ada',
    welcome_message: 'Good **day**.',
    placeholder_text: 'Ask Ada',
    primary_color: '#0f766e',
    suggested_questions: ['What is new?'],
    locale: 'fr',
    appearance: { '--scaibot-bg': '#fef9c3', position: 'bottom-left' },
  });
  await v.page.goto(site.page(id));
  await v.open();
  assert.equal(await v.part('title').textContent(), 'Ada');
  await v.part('welcome').locator('strong').getByText('day').waitFor();
  assert.equal(await v.input.getAttribute('placeholder'), 'Ask Ada');
  assert.equal(await v.part('suggestion').textContent(), 'What is new?');
  assert.equal(await v.part('send').evaluate((e) => getComputedStyle(e).backgroundColor), 'rgb(15, 118, 110)');
  assert.equal(await v.panel.evaluate((e) => getComputedStyle(e).backgroundColor), 'rgb(254, 249, 195)');
  assert.equal(await v.panel.evaluate((e) => e.closest('[lang]')?.getAttribute('lang')), 'fr');
  assert.ok(((await v.launcher.boundingBox())?.x ?? 999) < 100);
  await v.says('Bonjour');
  assert.equal((await scaigrid.conversations(id))[0]?.locale, 'en', 'the page’s language');
});

visit('the page’s own rules for everything do not reach inside', async (v) => {
  const { bot, site } = await world();
  const head =
    '<style>* { all: unset } div, button, textarea { display: none !important } .scaibot-launcher { box-shadow: 0 10px 24px rgba(0,0,0,.18) }</style>';
  await v.page.goto(site.page(bot, { head }));
  await v.open();
  assert.match(await v.launcher.evaluate((e) => getComputedStyle(e).boxShadow), /0\.18\) 0px 10px 24px/);
  assert.equal(await v.launcher.evaluate((e) => getComputedStyle(e).position), 'fixed');
  await v.says('How long can I return goods?', 'within 30 days');
});

/** What has the focus, through shadow roots, as a screen reader would name it. */
const focused = (v: Visit): Promise<string> =>
  v.page.evaluate(() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    const name = at?.getAttribute('aria-label') ?? at?.textContent ?? '';
    return `${at?.tagName.toLowerCase() ?? ''} ${name.trim()}`;
  });

visit('a whole chat by keyboard alone', async (v) => {
  const { bot, site } = await world();
  await v.page.goto(site.page(bot, { body: '<a href="#">A link of the page</a>' }));
  await v.launcher.waitFor();
  await v.page.keyboard.press('Tab');
  assert.equal(await focused(v), 'a A link of the page');
  await v.page.keyboard.press('Tab');
  assert.match(await focused(v), /^button /);
  await v.page.keyboard.press('Enter');
  await until('the input has the focus', async () => (await focused(v)) === 'textarea Message');
  await v.page.keyboard.type('How long can I return goods?');
  await v.page.keyboard.press('Enter');
  await v.hears('within 30 days');
  await v.page.locator('[data-rate=up]').waitFor();

  const walk: string[] = [];
  for (let i = 0; i < 12 && walk.at(-1) !== 'textarea Message'; i++) {
    await v.page.keyboard.press('Shift+Tab');
    walk.push(await focused(v));
  }
  assert.ok(
    walk.some((w) => w.includes('Not helpful')),
    walk.join(' | '),
  );
  assert.ok(
    walk.some((w) => w.startsWith('button Source 1')),
    walk.join(' | '),
  );
  assert.ok(
    walk.some((w) => w.includes('New conversation')),
    walk.join(' | '),
  );
  await v.page.keyboard.press('Escape');
  await v.panel.waitFor({ state: 'hidden' });
  assert.match(await focused(v), /^button /, 'the focus is on the launcher again');
});

visit('a screen reader finds names, and hears the answer', async (v) => {
  const { bot, site } = await world();
  await v.page.goto(site.page(bot, { attributes: { title: 'Shop help' } }));
  await v.page.getByRole('button', { name: 'Shop help' }).click();
  const dialog = v.page.getByRole('dialog', { name: 'Shop help' });
  await dialog.getByRole('textbox', { name: 'Message' }).fill('How long can I return goods?');
  await dialog.getByRole('button', { name: 'Send' }).click();
  await dialog.getByRole('log', { name: 'Conversation' }).getByText('within 30 days').first().waitFor();
  await dialog.getByRole('button', { name: 'Helpful', exact: true }).click();
  await dialog.getByRole('button', { name: 'Source 1: Returns' }).first().waitFor();
  const live = v.page.locator('[aria-live=polite]').filter({ hasText: 'within 30 days' });
  await live.first().waitFor({ state: 'attached' });
  await dialog.getByRole('button', { name: 'New conversation' }).waitFor();
  await dialog.getByRole('button', { name: 'Close chat' }).click();
  await dialog.waitFor({ state: 'hidden' });
});

const axe = createRequire(import.meta.url).resolve('axe-core');
for (const colorScheme of ['light', 'dark'] as const) {
  visit(
    `axe finds nothing, ${colorScheme}`,
    async (v) => {
      const { bot, site } = await world();
      await v.page.goto(site.page(bot, { head: `<style>html{color-scheme:light dark}</style>` }));
      await v.open();
      await v.page.addScriptTag({ path: axe });
      const look = async (): Promise<void> => {
        const found = await v.page.evaluate(
          'axe.run(document, { resultTypes: ["violations"] }).then((r) => r.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.target.join(" ")).join(", ")))',
        );
        assert.deepEqual(found, []);
      };
      await v.page.waitForTimeout(400); // colours in the middle of an animation are nobody's
      await look();
      await v.says('How long can I return goods?', 'within 30 days');
      await v.part('citation').first().click();
      await v.page.waitForTimeout(400);
      await look();
      await v.shot(`axe-${colorScheme}`);
    },
    { colorScheme },
  );
}

visit(
  'on a phone it is a sheet over everything',
  async (v) => {
    const { bot, site } = await world();
    await v.page.goto(site.page(bot));
    await v.shot('phone-launcher');
    await v.launcher.tap();
    await v.input.waitFor();
    await v.panel.evaluate((e) => Promise.all(e.getAnimations().map((a) => a.finished)));
    assert.deepEqual(await v.panel.boundingBox(), { x: 0, y: 0, width: 390, height: 844 });
    await v.says('How long can I return goods?', 'within 30 days');
    assert.ok((await v.page.evaluate(() => document.documentElement.scrollWidth)) <= 390, 'nothing to scroll sideways');
    const small = await v.panel.locator('button:visible').evaluateAll((all) =>
      all
        .map((e) => ({ name: e.getAttribute('aria-label') ?? e.textContent, box: e.getBoundingClientRect() }))
        .filter(({ name, box }) => !name?.startsWith('Source') && (box.width < 44 || box.height < 44))
        .map(({ name, box }) => `${name} ${box.width}×${box.height}`),
    );
    assert.deepEqual(small, [], 'big enough for a thumb');
    await v.shot('phone-answer');
    await v.page.getByRole('button', { name: 'Close chat' }).last().tap();
    await v.panel.waitFor({ state: 'hidden' });
    await v.launcher.waitFor({ state: 'visible' });
  },
  { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
);
