/** `window.ScaiBot`: the tag, the queue from before the script, and every bot on the page. */
import type { Claims, Finding, PageContext, SendOutcome } from '../seam.ts';
import type { EventMap, EventName } from '../table/events.ts';
import type { MessageCode } from '../table/messages.ts';
import type { Options } from '../table/options.ts';
import { Instance, version, type Neighbours, type Server } from './instance.ts';
import { report } from './report.ts';
import { httpUrl, read } from './settings.ts';

export type Listener<E extends EventName> = (detail: EventMap[E]) => void;

/** One bot's handle. */
export interface Bot {
  readonly botId: string;
  open(): void;
  close(): void;
  toggle(): void;
  send(text: string): Promise<SendOutcome>;
  on<E extends EventName>(event: E, fn: Listener<E>): () => void;
  off<E extends EventName>(event: E, fn: Listener<E>): void;
  identify(claims: Claims): Promise<{ verified: boolean }>;
  setContext(context: PageContext): void;
  doctor(): Promise<Finding[]>;
  destroy(): void;
}

/** What the global offers: the calls of the first bot on the page, and the way to every other. */
export interface ScaiBot extends Omit<Bot, 'botId'> {
  readonly version: string;
  /** Puts a bot on the page, or replaces the one with the same id. Undefined where the options do not allow it. */
  init(options: Options): Bot | undefined;
  get(botId: string): Bot | undefined;
}

/** Before the script has loaded: `window.ScaiBot = {q: [["init", {…}]]}`. */
export interface Queue {
  q?: [string, ...unknown[]][];
}

declare global {
  interface Window {
    ScaiBot?: ScaiBot;
  }
}

const PATH = '/static/modules/scaibot/';
const ADOPT = Symbol.for('scaibot.tag');

interface Tag {
  options: Options;
  src: string;
}

export function install(script: HTMLScriptElement | null): void {
  const tag = script ?? document.querySelector<HTMLScriptElement>(`script[data-bot-id][src*="${PATH}widget.js"]`);
  const before = window.ScaiBot as unknown as (Queue & { [ADOPT]?: (tag: HTMLScriptElement) => void }) | undefined;
  if (before?.[ADOPT]) {
    if (tag) before[ADOPT](tag);
    return;
  }
  const page = new Page();
  const api = page.api();
  Object.defineProperty(api, ADOPT, { value: (late: HTMLScriptElement) => page.adopt(late) });
  window.ScaiBot = api;
  if (tag) page.adopt(tag);
  for (const [call, ...args] of before?.q ?? []) {
    const fn = (api as unknown as Record<string, unknown>)[call];
    if (typeof fn === 'function') (fn as (...args: unknown[]) => unknown)(...args);
  }
}

class Page {
  readonly #bots = new Map<string, Instance>();
  readonly #tags = new Map<string, Tag>();
  readonly #listeners = new Map<string, Set<{ fn: Listener<never>; botId: string | undefined }>>();
  #src = '';

  /** Until a bot names its host, we speak of the script's. */
  #report(code: MessageCode, where?: string): void {
    const { url, assets } = serverOf(undefined, this.#src);
    void report(code, where, url, assets);
  }

  #refused = (name: string, value: string): void => this.#report('option-refused', `${name}: ${value}`);

  adopt(script: HTMLScriptElement): void {
    this.#src ||= script.src;
    const options = read(script.dataset, this.#refused);
    const { botId } = options;
    if (!botId && !Object.keys(options).length) return; // a bare tag: init() follows
    if (botId && this.#bots.has(botId)) return this.#report('second-tag', botId);
    if (botId) this.#tags.set(botId, { options, src: script.src });
    this.start(options, script.src);
  }

  /** The page's words, over the tag's looks and places where both speak of the same bot. */
  init(given: Options): Instance | undefined {
    const options = read(given, this.#refused);
    const tag = this.#tags.get(options.botId ?? '');
    const { token: _token, userId: _id, userEmail: _email, userName: _name, ...looks } = tag?.options ?? {};
    this.#bots.get(options.botId ?? '')?.destroy();
    return this.start({ ...looks, ...options }, tag?.src ?? this.#src);
  }

  start(options: Options, src: string): Instance | undefined {
    const { botId, host } = options;
    const server = serverOf(host, src);
    if (!botId) return void this.#report('bot-id-missing');
    if (!botId.startsWith('bot_')) return void this.#report('bot-id-form', botId);
    if (!isSecureContext || server.url.startsWith('http:') !== (location.protocol === 'http:')) this.#report('no-https', `${location.origin}, ${server.url}`);
    const neighbours: Neighbours = {
      emit: (event, detail) => this.#emit(event, detail),
      stack: (me) => this.#stack(me),
      left: (me) => {
        if (this.#bots.get(botId) === me) this.#bots.delete(botId);
        for (const bot of this.#bots.values()) bot.restack();
      },
    };
    const bot = new Instance({ ...options, botId }, server, neighbours);
    this.#bots.set(botId, bot);
    bot.restack();
    return bot;
  }

  api(): ScaiBot {
    const first = (): Instance | undefined => this.#bots.values().next().value;
    return {
      ...this.#handle(first, undefined),
      version,
      init: (options) => this.#bot(this.init(options)),
      get: (botId) => this.#bot(this.#bots.get(botId)),
      destroy: () => {
        for (const bot of [...this.#bots.values()]) bot.destroy();
      },
    };
  }

  #bot(bot: Instance | undefined): Bot | undefined {
    return bot && { ...this.#handle(() => bot, bot.botId), botId: bot.botId };
  }

  /** The calls of a bot, or of whichever is first when they are made. */
  #handle(bot: () => Instance | undefined, botId: string | undefined): Omit<Bot, 'botId'> {
    return {
      open: () => void bot()?.open(),
      close: () => bot()?.close(),
      toggle: () => bot()?.toggle(),
      send: async (text) => bot()?.send(text) ?? { sent: false, error: { code: 'no-bot', message: 'There is no bot on the page.' } },
      on: (event, fn) => this.#on(event, fn, botId),
      off: (event, fn) => this.#off(event, fn, botId),
      identify: async (claims) => bot()?.identify(claims) ?? { verified: false },
      setContext: (context) => bot()?.setContext(context),
      doctor: async () => bot()?.doctor() ?? [],
      destroy: () => bot()?.destroy(),
    };
  }

  #on<E extends EventName>(event: E, fn: Listener<E>, botId: string | undefined): () => void {
    const set = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, set.add({ fn, botId }));
    return () => this.#off(event, fn, botId);
  }

  #off<E extends EventName>(event: E, fn: Listener<E>, botId: string | undefined): void {
    const set = this.#listeners.get(event);
    for (const entry of set ?? []) if (entry.fn === (fn as Listener<never>) && entry.botId === botId) set?.delete(entry);
  }

  #emit<E extends EventName>(event: E, detail: EventMap[E]): void {
    for (const { fn, botId } of [...(this.#listeners.get(event) ?? [])]) {
      if (botId && botId !== detail.botId) continue;
      try {
        (fn as Listener<E>)(detail);
      } catch (error) {
        console.error(error); // a listener of the page: its own fault, and not the chat's end
      }
    }
  }

  #stack(me: Instance): number {
    let before = 0;
    for (const bot of this.#bots.values()) {
      if (bot === me) break;
      if (bot.settings.mode !== 'inline' && bot.settings.position === me.settings.position) before++;
    }
    return before;
  }
}

/** Where the server is: `data-host`, else where the script came from, also below a path. */
function serverOf(host: string | undefined, src: string): Server {
  const given = host && httpUrl(host)?.replace(/\/+$/, '');
  if (given) return { url: given, assets: given + PATH };
  const script = new URL(src || location.href, document.baseURI);
  const at = script.pathname.lastIndexOf(PATH);
  return { url: script.origin + (at > 0 ? script.pathname.slice(0, at) : ''), assets: new URL('.', script).href };
}
