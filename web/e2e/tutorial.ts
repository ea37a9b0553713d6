/** The tutorial's own code, out of its fences. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from './installation.ts';

const text = readFileSync(join(root, 'docs/tutorials/embed-on-your-site.md'), 'utf8');

const blocks = text
  .split(/^```/m)
  .filter((_, i) => i % 2 === 1)
  .map((block) => {
    const end = block.indexOf('\n');
    return { language: block.slice(0, end), code: block.slice(end + 1) };
  });

/** The host that stands in the tutorial. */
export const tutorialHost = 'https://scaigrid.scailabs.ai';

/** The first block of this language that holds the text. */
export function sample(language: string, holds: string): string {
  const found = blocks.find((b) => b.language === language && b.code.includes(holds));
  if (!found)
    throw new Error(`the tutorial has no block of ${language || 'no language'} with ${JSON.stringify(holds)}`);
  return found.code;
}

/** A tag of the tutorial for this host and bot: only what stands for them is replaced. */
export function tag(holds: string, host: string, bot: string): string {
  const script = `src="${host}/static/modules/scaibot/widget.js"`;
  return sample('html', holds)
    .replaceAll('src="..."', script)
    .replaceAll(tutorialHost, host)
    .replaceAll(/data-bot-id="[^"]*"/g, `data-bot-id="${bot}"`);
}

/** The policy of the tutorial as one header, its comment stripped, for this host. */
export function tutorialPolicy(host: string): string {
  return sample('', "script-src 'self' https:")
    .replaceAll(/#.*$/gm, '')
    .replaceAll(tutorialHost, host)
    .replaceAll(/\s+/g, ' ')
    .trim();
}
