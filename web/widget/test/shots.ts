/** Pictures of the widget's states, for the eye: `npm run shots -- folder`. */
import { mkdirSync } from 'node:fs';
import { launch, open } from './chromium.ts';
import { startStub } from './stub-server.mjs';

const folder = process.argv[2] ?? 'test-results/shots';
mkdirSync(folder, { recursive: true });
const stub = await startStub();
const browser = await launch();
const views = {
  light: { colorScheme: 'light' as const },
  dark: { colorScheme: 'dark' as const },
  phone: { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true },
};
for (const [name, options] of Object.entries(views)) {
  const { page, context, said } = await open(browser, options);
  await page.goto(`${stub.site}/`);
  await page.locator('.scaibot-launcher button').waitFor();
  await page.waitForTimeout(300);
  await page.screenshot({ path: `${folder}/${name}-0-launcher.png` });
  await page.locator('.scaibot-launcher button').click();
  await page.locator('textarea').waitFor();
  await page.waitForTimeout(500);
  await page.screenshot({ path: `${folder}/${name}-1-empty.png` });
  stub.control.wait = 700;
  await page.locator('textarea').fill('How do I return an order?');
  await page.locator('textarea').press('Enter');
  await page.waitForTimeout(450);
  await page.screenshot({ path: `${folder}/${name}-2-searching.png` });
  await page.waitForTimeout(800);
  await page.screenshot({ path: `${folder}/${name}-3-streaming.png` });
  await page.locator('.sources').waitFor();
  await page.screenshot({ path: `${folder}/${name}-4-answer.png` });
  await page.locator('.sources summary').click();
  await page.locator('.log').evaluate((e) => (e.scrollTop = e.scrollHeight));
  await page.waitForTimeout(200);
  await page.screenshot({ path: `${folder}/${name}-5-sources.png` });
  stub.control.wait = 0;
  await page.locator('textarea').fill('fail please');
  await page.locator('textarea').press('Enter');
  await page.locator('.retry').waitFor();
  await page.waitForTimeout(200);
  await page.screenshot({ path: `${folder}/${name}-6-failed.png` });
  console.log(
    name,
    said.filter((line) => !line.includes('no-https')),
  );
  await context.close();
}
await browser.close();
await stub.close();
