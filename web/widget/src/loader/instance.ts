/** One bot on the page: its launcher, its token, and, once wanted, its panel. */
import type { EmbedInfo, Envelope } from '../../../protocol/wire.ts';
import { SEAM, type Claims, type Finding, type Off, type PageContext, type Panel, type PanelHost, type PanelModule, type SendOutcome, type Settings } from '../seam.ts';
import type { EventMap, EventName } from '../table/events.ts';
import type { MessageCode } from '../table/messages.ts';
import type { Options } from '../table/options.ts';
import { Launcher } from './launcher.ts';
import { load } from './chunk.ts';
import { report, settled } from './report.ts';
import { settle } from './settings.ts';
import { TokenLife } from './token.ts';

declare const __PANEL__: string;
declare const __VERSION__: string;

export const version = __VERSION__;

export type Emit = <E extends EventName>(event: E, detail: EventMap[E]) => void;

/** What the page knows of the server: where the script came from, or where `data-host` points. */
export interface Server {
  url: string;
  assets: string;
}

export interface Neighbours {
  emit: Emit;
  /** Launchers in the same corner before this one. */
  stack(me: Instance): number;
  left(me: Instance): void;
}

const clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms: number, fn: () => void): Off {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
  chance: () => Math.random(),
};

export class Instance {
  readonly botId: string;
  settings: Settings;
  readonly #page: Options;
  readonly #server: Server;
  readonly #all: Neighbours;
  readonly #tokens: TokenLife;
  readonly #launcher: Launcher | undefined;
  readonly #offs: Off[] = [];
  readonly #violations = new Map<string, string>();
  readonly #info: Promise<EmbedInfo>;
  readonly #claims: Claims;
  #context: PageContext = {};
  #panel: Promise<Panel | undefined> | undefined;
  #made: Panel | undefined;
  #open = false;
  #destroyed = false;
  #attempts = 0;

  constructor(page: Options & { botId: string }, server: Server, all: Neighbours) {
    this.botId = page.botId;
    this.#page = page;
    this.#server = server;
    this.#all = all;
    this.#claims = { id: page.userId, email: page.userEmail, name: page.userName };
    this.settings = settle(page, recall(this.botId), this.#refused);
    this.#tokens = new TokenLife(
      {
        token: page.token,
        url: page.tokenUrl,
        credentials: (page.tokenCredentials ?? 'same-origin') as RequestCredentials,
        report: (code, where) => this.report(code, where),
        recovered: () => settled('token-'),
        expired: () => this.emit('tokenExpired', {}),
        none: (none) => this.#launcher?.hide(none),
      },
      clock,
    );
    if (this.settings.mode !== 'inline') this.#launcher = new Launcher(() => this.toggle(true), () => void this.#load());
    this.#listen();
    this.#info = new Promise((resolve) => {
      // After the first paint; a hidden page paints nothing, so it does not wait for one.
      const ask = (): void => void (this.#destroyed || this.#ask().then(resolve));
      const frame = document.hidden ? window.setTimeout(ask) : requestAnimationFrame(() => window.setTimeout(ask));
      this.#offs.push(() => (clearTimeout(frame), cancelAnimationFrame(frame)));
    });
    this.#tokens.start();
    this.#stand();
    const { mode, openOnLoad } = this.settings;
    if (mode !== 'inline' && (openOnLoad ?? mode === 'fullscreen')) void this.open(false);
  }

  emit<E extends EventName>(event: E, detail: Omit<EventMap[E], 'botId'>): void {
    this.#all.emit(event, { ...detail, botId: this.botId } as EventMap[E]);
  }

  report(code: MessageCode, where?: string): void {
    void report(code, where, this.#server.url, this.#server.assets);
  }

  async open(focus = true): Promise<void> {
    this.#launcher?.busy(true);
    const panel = await this.#load();
    this.#launcher?.busy(false);
    panel?.open({ focus });
  }

  close(): void {
    this.#made?.close();
  }

  toggle(focus = true): void {
    if (this.#open) this.close();
    else void this.open(focus);
  }

  async send(text: string): Promise<SendOutcome> {
    const panel = await this.#load();
    return panel ? panel.send(text) : { sent: false, error: { code: 'panel-unreachable', message: 'The panel could not be loaded.' } };
  }

  /** Who the page says its visitor is; asks for a new token too, since that is what proves it. */
  async identify(claims: Claims): Promise<{ verified: boolean }> {
    Object.assign(this.#claims, claims);
    this.#made?.update();
    const token = await this.#tokens.refresh().catch(() => undefined);
    return { verified: token?.anon === false };
  }

  setContext(context: PageContext): void {
    Object.assign(this.#context, context);
  }

  async doctor(): Promise<Finding[]> {
    const panel = await this.#load();
    if (panel) return panel.doctor();
    return [{ check: 'panel', ok: false, detail: [...this.#violations.values()].join('; ') || 'The panel could not be loaded.' }];
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    for (const off of this.#offs) off();
    this.#tokens.stop();
    this.#made?.destroy();
    this.#launcher?.remove();
    this.#all.left(this);
    this.emit('destroy', {});
  }

  /** Another launcher came or went. */
  restack(): void {
    this.#launcher?.place(this.settings, this.#all.stack(this));
  }

  #refused = (name: string, value: string): void => this.report('option-refused', `${name}: ${value}`);

  #listen(): void {
    const on = <E extends Event>(target: EventTarget, type: string, fn: (event: E) => void): void => {
      target.addEventListener(type, fn as EventListener);
      this.#offs.push(() => target.removeEventListener(type, fn as EventListener));
    };
    on(document, 'visibilitychange', () => this.#tokens.visible(!document.hidden));
    on(document, 'securitypolicyviolation', (e: SecurityPolicyViolationEvent) => {
      const ours = [this.#server.url, this.#server.assets, this.#page.tokenUrl].some((url) => url && e.blockedURI.startsWith(new URL(url).origin));
      if (!ours || e.disposition === 'report') return;
      const { effectiveDirective, blockedURI } = e;
      const directive = effectiveDirective.replace(/-(elem|attr)$/, '');
      const { origin } = new URL(blockedURI);
      this.#violations.set(directive, `${directive} does not allow ${origin}`);
      this.report('policy-blocked', `${directive} must allow ${origin}`);
    });
  }

  /** Puts the launcher into the page and keeps it there when the page swaps its body. */
  #stand(): void {
    const launcher = this.#launcher;
    if (!launcher) return this.#awaitMount();
    launcher.label(this.#page.title ?? 'Chat');
    const put = (): void => {
      const { body } = document as { body: HTMLElement | null };
      if (!body || launcher.element.parentNode === body) return;
      body.append(launcher.element);
      this.restack();
      watch.disconnect();
      watch.observe(document.documentElement, { childList: true });
      watch.observe(body, { childList: true });
    };
    const watch = new MutationObserver(put);
    watch.observe(document.documentElement, { childList: true });
    this.#offs.push(() => watch.disconnect());
    put();
  }

  /** Inline: the panel goes into its element whenever that is there, also when a route takes it away and brings it back. */
  #awaitMount(): void {
    let at: Element | null = null;
    const look = (): void => {
      const found = this.#container();
      if (!found || found === at) return;
      at = found;
      if (this.#made) this.#made.update();
      else void this.open(false);
    };
    const watch = new MutationObserver(look);
    watch.observe(document, { childList: true, subtree: true });
    this.#offs.push(
      () => watch.disconnect(),
      clock.after(10_000, () => at ?? this.report('mount-missing', this.#page.mount ?? 'data-mount')),
    );
    look();
  }

  #container(): Element | null {
    return this.#page.mount ? document.querySelector(this.#page.mount) : null;
  }

  async #ask(): Promise<EmbedInfo> {
    const answer = await fetch(`${this.#server.url}/v1/modules/scaibot/bots/${encodeURIComponent(this.botId)}/embed-info`).catch(() => undefined);
    const body = (await answer?.json().catch(() => undefined)) as Envelope<EmbedInfo> | undefined;
    if (this.#destroyed) return {};
    if (answer?.status === 404) {
      const draft = body?.status === 'error' && body.error.code === 'BOT_NOT_ACTIVE';
      this.#gone(draft ? 'bot-not-active' : 'bot-not-found');
      return {};
    }
    if (body?.status !== 'ok') return {};
    const info = body.data;
    if (info.status === 'archived') this.#gone('bot-not-found');
    else if (info.status === 'draft') void this.#tokens.get().then((token) => token.preview || this.#gone('bot-not-active'), () => undefined);
    remember(this.botId, info);
    this.settings = settle(this.#page, info, this.#refused);
    this.restack();
    this.#launcher?.label(this.settings.title ?? 'Chat');
    this.#made?.update();
    return info;
  }

  #gone(code: MessageCode): void {
    this.report(code, this.botId);
    this.destroy();
  }

  #load(): Promise<Panel | undefined> {
    return (this.#panel ??= this.#fetch());
  }

  async #fetch(): Promise<Panel | undefined> {
    // A browser may remember that a module failed to load, so that trying again needs another address.
    const url = this.#server.assets + __PANEL__ + (this.#attempts++ ? `?${this.#attempts}` : '');
    try {
      const module = await load<PanelModule>(url);
      if (this.#destroyed) return undefined;
      settled('panel-');
      return (this.#made = module.createPanel(this.#host()));
    } catch (error) {
      this.#panel = undefined;
      this.report('panel-unreachable', url);
      if (this.settings.debug) console.debug(error);
      return undefined;
    }
  }

  #host(): PanelHost {
    return {
      seam: SEAM,
      version,
      server: this.#server.url,
      api: `${this.#server.url}/v1/modules/scaibot`,
      tokens: this.#tokens,
      info: this.#info,
      launcher: this.#launcher?.element ?? null,
      settings: () => this.settings,
      claims: () => this.#claims,
      context: () => this.#context,
      container: () => this.#container(),
      emit: (event, detail) => this.emit(event, detail),
      report: (code, where) => this.report(code, where),
      unread: (count) => this.#launcher?.unread(count),
      gone: (code) => this.#gone(code),
      violations: () => [...this.#violations.values()],
      shown: (open) => {
        this.#open = open;
        this.#launcher?.open(open);
        this.emit(open ? 'open' : 'close', {});
      },
    };
  }
}

const key = (botId: string): string => `scaibot:info:${botId}`;

/** The bot's face as it last was; kept only for visitors who have spoken with it. */
function recall(botId: string): EmbedInfo {
  try {
    return Object(JSON.parse(localStorage.getItem(key(botId)) ?? '{}')) as EmbedInfo;
  } catch {
    return {};
  }
}

function remember(botId: string, info: EmbedInfo): void {
  try {
    if (localStorage.getItem(`scaibot:${botId}`)) localStorage.setItem(key(botId), JSON.stringify(info));
  } catch {
    // storage is closed to us: the next page paints from the attributes
  }
}
