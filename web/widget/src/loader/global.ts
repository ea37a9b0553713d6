/** `window.ScaiBot`: the tag, the queue from before the script, and every bot on the page. */
import type { Off } from '../seam.ts';
import type { EventMap, EventName } from '../table/events.ts';
import type { MessageCode } from '../table/messages.ts';
import { placement, wiring, type Options } from '../table/options.ts';
import type { Bot, Forwarded, Listener, Queue, ScaiBot } from './api.ts';
import { Instance, version, type Neighbours } from './instance.ts';
import { report } from './report.ts';
import { serverOf } from './server.ts';
import { read } from '../settings.ts';

interface Tag {
  options: Options;
  src: string;
}

/** The page's bots by id, in the order in which they came. */
const bots = new Map<string, Instance>();
const tags = new Map<string, Tag>();
let listeners: [event: string, fn: unknown, botId: string | undefined][] = [];
let scriptSrc = '';

/** Until a bot names its host, we speak of the script's. */
const say = (code: MessageCode, where: string): void => report(code, where, serverOf(undefined, scriptSrc));
const parse = (raw: object): Options => read(raw, { ...wiring, ...placement }, refused);
const refused = (name: string, value: string): void => say('option-refused', `${name}: ${value}`);

function on<E extends EventName>(event: E, fn: Listener<E>, botId?: string): Off {
  listeners = [...listeners, [event, fn, botId]];
  return () => off(event, fn, botId);
}

function off<E extends EventName>(event: E, fn: Listener<E>, botId?: string): void {
  listeners = listeners.filter((other) => other[0] !== event || other[1] !== fn || other[2] !== botId);
}

const neighbours: Neighbours = {
  on,
  off,
  emit(event, detail: EventMap[EventName]) {
    for (const [name, fn, botId] of listeners) {
      if (name !== event || (botId && botId !== detail.botId)) continue;
      // On its own, so that a listener of the page that throws is its own fault and not the chat's end.
      queueMicrotask(() => (fn as Listener<EventName>)(detail));
    }
  },
  stack(me) {
    const corner = [...bots.values()].filter(
      ({ settings: s }) => s.mode !== 'inline' && s.position === me.settings.position,
    );
    return Math.max(0, corner.indexOf(me));
  },
  left(me) {
    if (bots.get(me.botId) === me) bots.delete(me.botId);
    for (const bot of bots.values()) bot.restack();
  },
};

function start(options: Options, src: string): Instance | undefined {
  const { botId = '', host } = options;
  const server = serverOf(host, src);
  if (!botId.startsWith('bot_')) {
    report('bot-id', botId, server);
    return undefined;
  }
  const bot = new Instance({ ...options, botId }, server, neighbours);
  bots.set(botId, bot);
  bot.restack();
  return bot;
}

function adopt(script: HTMLScriptElement | null): void {
  if (!script) return; // not a tag: init() follows
  const { src, dataset } = script;
  scriptSrc ||= src;
  const options = parse(dataset);
  const { botId = '' } = options;
  if (bots.has(botId)) return say('second-tag', botId);
  tags.set(botId, { options, src });
  // A tag without attributes only brings the script: init() follows.
  if (Object.keys(options).length) start(options, src);
}

/** The page's words, over the tag's looks and places where both speak of the same bot. */
function init(given: Options): Bot | undefined {
  const options = parse(given);
  const { botId = '' } = options;
  const tag = tags.get(botId);
  const { token: _token, userId: _id, userEmail: _email, userName: _name, ...looks } = tag?.options ?? {};
  bots.get(botId)?.destroy();
  return start({ ...looks, ...options }, tag?.src ?? scriptSrc);
}

export function install(script: HTMLScriptElement | null): void {
  const before = window.ScaiBot as unknown as (Queue & { adopt?: typeof adopt }) | undefined;
  if (before?.adopt) return before.adopt(script);
  const api: Record<string, (...args: never[]) => unknown> = {
    init,
    adopt, // for a second tag, of whatever release
    get: (botId: string) => bots.get(botId),
    on,
    off,
    destroy: () => [...bots.values()].forEach((bot) => bot.destroy()),
  };
  const forwarded: readonly Forwarded[] = ['open', 'close', 'toggle', 'send', 'identify', 'setContext', 'doctor'];
  for (const call of forwarded) {
    api[call] = (...args) =>
      (bots.values().next().value as Record<Forwarded, (...args: never[]) => unknown> | undefined)?.[call](...args);
  }
  window.ScaiBot = { ...api, version } as unknown as ScaiBot;
  adopt(script);
  for (const [call, ...args] of before?.q ?? []) api[call]?.(...(args as never[]));
}
