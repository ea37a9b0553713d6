/**
 * Visitors whose tokens really run out. A token lives at least a minute and the server allows half a minute for clocks that
 * disagree, so they begin with the run and are looked at last.
 */
import { until, type Minted } from './installation.ts';
import type { Site } from './site.ts';
import { Visit } from './visit.ts';
import { own, world } from './world.ts';

/** Seconds after which the server refuses a token of a minute. */
const OVER = 91;

interface Guest {
  v: Visit;
  site: Site;
  id: string;
}

export interface Expiring {
  /** Resolves when every token is over. */
  over: Promise<void>;
  /** With an address that works, and one that is down when it matters. The page believes that its token lives for an hour. */
  fresh: Guest;
  cut: Guest;
  /** With a token in the page. */
  fixed: Guest;
  /** A token, and an answer that began while it lived and ends when it does not. */
  token: Minted;
  spanning: Promise<string>;
}

async function guest(): Promise<Guest> {
  const { id, site } = await own();
  const lasting = site.minting(id, {});
  let first = true;
  site.token = (res) => {
    const answer = first ? site.minting(id, { ttl_seconds: 60 }, { ttl_seconds: 3600 }) : lasting;
    first = false;
    return answer(res);
  };
  const v = await Visit.begin();
  await v.page.goto(site.page(id));
  await v.open();
  await v.says('Before');
  return { v, site, id };
}

async function fixed(): Promise<Guest> {
  const { scaigrid, id, site } = await own();
  const { token } = await scaigrid.mint(id, { ttl_seconds: 60 });
  const v = await Visit.begin();
  await v.page.goto(site.page(id, { attributes: { token } }));
  await v.page.evaluate('window.ended = 0; window.ScaiBot.on("tokenExpired", () => window.ended++)');
  await v.open();
  await v.says('Before');
  return { v, site, id };
}

/** A whole stream of twelve seconds that begins five seconds before its token is over. */
async function span(token: Minted, id: string, after: Promise<void>): Promise<string> {
  const { scaigrid } = await world();
  await after;
  const res = await scaigrid.chat('', token.token, { body: { bot_id: id, message: 'Count' } });
  return res.text();
}

async function begin(): Promise<Expiring> {
  const { scaigrid } = await world();
  const guests = [await guest(), await guest(), await fixed()] as const;
  const { id } = await own({ model: 'openai/words:60@200' });
  const token = await scaigrid.mint(id, { ttl_seconds: 60 });
  const began = Date.now();
  const at = (seconds: number): Promise<void> =>
    until(`${seconds} s`, () => Date.now() - began > seconds * 1000, 200_000);
  const over = at(OVER);
  const spanning = span(token, id, at(OVER - 6));
  for (const promise of [over, spanning]) promise.catch(() => undefined); // whoever awaits it hears of it
  return { over, fresh: guests[0], cut: guests[1], fixed: guests[2], token, spanning };
}

export const expiring = begin();
expiring.catch(() => undefined);
