/** What the tests of one run share: one server, one bot that knows something, one site. */
import { after } from 'node:test';

import { Installation } from './installation.ts';
import { Site } from './site.ts';

export interface World {
  scaigrid: Installation;
  /** Answers from a document. Only for tests that do not look at its conversations. */
  bot: string;
  site: Site;
}

let made: Promise<World> | undefined;
const sites: Site[] = [];

after(async () => {
  for (const site of sites) site.stop();
  await (await made?.catch(() => undefined))?.scaigrid.stop();
});

async function make(): Promise<World> {
  const scaigrid = await Installation.start();
  const bot = await scaigrid.knowing({
    welcome_message: 'Welcome!',
    suggested_questions: ['How long can I return goods?'],
  });
  const site = await Site.start(scaigrid, bot);
  sites.push(site);
  return { scaigrid, bot, site };
}

/** Starts it with the first test that needs it; it ends with the last. */
export function world(): Promise<World> {
  return (made ??= make());
}

/** A bot and a site of a test's own. */
export async function own(
  fields: Record<string, unknown> = {},
  mint: Record<string, unknown> = {},
): Promise<{ scaigrid: Installation; id: string; site: Site }> {
  const { scaigrid } = await world();
  const id = await scaigrid.bot(fields);
  const site = await Site.start(scaigrid, id, { mint });
  sites.push(site);
  return { scaigrid, id, site };
}
