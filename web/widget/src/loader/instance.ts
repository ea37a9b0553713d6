/** One bot on the page: its launcher, its token, and, once wanted, its panel. */
import type { EmbedInfo, Envelope } from '../../../protocol/wire.ts';
import {
  SEAM,
  type Claims,
  type Finding,
  type Off,
  type PageContext,
  type Panel,
  type PanelHost,
  type PanelModule,
  type SendOutcome,
  type Settings,
} from '../seam.ts';
import type { EventMap, EventName } from '../table/events.ts';
import type { MessageCode } from '../table/messages.ts';
import type { Options } from '../table/options.ts';
import type { Bot, Listener } from './api.ts';
import { load } from './chunk.ts';
import { launcher, type Launcher } from './launcher.ts';
import { report } from './report.ts';
import type { Server } from './server.ts';
import { settle } from './settings.ts';
import { TokenLife, type TokenClock } from './token.ts';

declare const __PANEL__: string;
declare const __VERSION__: string;

export const version = __VERSION__;

export interface Neighbours {
  emit<E extends EventName>(event: E, detail: EventMap[E]): void;
  on<E extends EventName>(event: E, fn: Listener<E>, botId: string): Off;
  off<E extends EventName>(event: E, fn: Listener<E>, botId: string): void;
  /** Launchers in the same corner before this one. */
  stack(me: Instance): number;
  left(me: Instance): void;
}

const clock: TokenClock = {
  now: () => performance.now(),
  wall: Date.now,
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
  chance: Math.random,
};

export class Instance implements Bot {
  readonly botId: string;
  settings: Settings;
  readonly #page: Options;
  readonly #server: Server;
  readonly #all: Neighbours;
  readonly #tokens: TokenLife;
  readonly #launcher: Launcher | undefined;
  readonly #end = new AbortController();
  readonly #violations = new Set<string>();
  readonly #info: Promise<EmbedInfo>;
  readonly #claims: Claims;
  readonly #context: PageContext = {};
  #loading: Promise<Panel | undefined> | undefined;
  #panel: Panel | undefined;
  #open = false;
  #hidden = false;
  #gone = false;
  #attempts = 0;

  constructor(page: Options & { botId: string }, server: Server, all: Neighbours) {
    const { botId, token, tokenUrl, tokenCredentials, userId, userEmail, userName } = page;
    this.botId = botId;
    this.#page = page;
    this.#server = server;
    this.#all = all;
    this.#claims = { id: userId, email: userEmail, name: userName };
    this.settings = settle(page, recall(botId), this.#refused);
    this.#tokens = new TokenLife(
      {
        token,
        url: tokenUrl,
        credentials: tokenCredentials ?? 'same-origin',
        report: this.#report,
      },
      clock,
    );
    const { mode, openOnLoad } = this.settings;
    const inline = mode === 'inline';
    if (!inline)
      this.#launcher = launcher(
        server.assets,
        () => this.toggle(),
        () => void this.#load(),
      );
    const { signal } = this.#end;
    document.addEventListener('visibilitychange', () => this.#tokens.visible(!document.hidden), { signal });
    document.addEventListener('securitypolicyviolation', this.#violated, { signal });
    // After the first paint; a hidden page paints nothing, so it does not wait for one.
    this.#info = new Promise<void>((painted) =>
      document.hidden ? painted() : requestAnimationFrame(() => setTimeout(painted)),
    ).then(() => this.#ask());
    this.#tokens.listen(() => {
      const { ended } = this.#tokens;
      if (ended && !tokenUrl) this.#emit('tokenExpired', {});
      this.#hidden = ended && !!tokenUrl; // 204: no chat for this visitor
      this.restack();
    });
    this.#tokens.start();
    this.#stand(inline);
    if (!inline && (openOnLoad ?? mode === 'fullscreen')) void this.#show(false);
  }

  open(): void {
    void this.#show(true);
  }

  close(): void {
    this.#panel?.close();
  }

  toggle(): void {
    if (this.#open) this.close();
    else this.open();
  }

  async send(text: string): Promise<SendOutcome> {
    return (await this.#load())?.send(text) ?? { sent: false };
  }

  on<E extends EventName>(event: E, fn: Listener<E>): Off {
    return this.#all.on(event, fn, this.botId);
  }

  off<E extends EventName>(event: E, fn: Listener<E>): void {
    this.#all.off(event, fn, this.botId);
  }

  /** Asks for a new token too, since that is what proves who the visitor is. */
  async identify(claims: Claims): Promise<{ verified: boolean }> {
    Object.assign(this.#claims, claims);
    const tokens = this.#tokens;
    if (this.#page.tokenUrl) {
      await new Promise<void>((resolve) => {
        const off = tokens.listen(() => {
          off();
          resolve();
        });
        tokens.refresh();
      });
    }
    return { verified: tokens.token?.anon === false };
  }

  setContext(context: PageContext): void {
    Object.assign(this.#context, context);
  }

  async doctor(): Promise<Finding[]> {
    return (await this.#load())?.doctor() ?? [];
  }

  destroy(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#end.abort();
    this.#tokens.stop();
    this.#panel?.destroy();
    this.#launcher?.remove();
    this.#all.left(this);
    this.#emit('destroy', {});
  }

  /** Settings, or the launchers beside it, changed. */
  restack(): void {
    this.#launcher?.place(this.settings, this.#all.stack(this), this.#hidden);
  }

  #emit = <E extends EventName>(event: E, detail: Omit<EventMap[E], 'botId'>): void =>
    this.#all.emit(event, { ...detail, botId: this.botId } as EventMap[E]);

  #report = (code: MessageCode, where?: string): void => report(code, where ?? this.botId, this.#server);

  #refused = (name: string, value: string): void => this.#report('option-refused', `${name}: ${value}`);

  #violated = ({ blockedURI, effectiveDirective, disposition }: SecurityPolicyViolationEvent): void => {
    if (
      disposition === 'report' ||
      ![this.#server.url, this.#page.tokenUrl].some((url) => url && blockedURI.startsWith(new URL(url).origin))
    )
      return;
    const where = `${effectiveDirective} must allow ${new URL(blockedURI).origin}`;
    this.#violations.add(where);
    this.#report('policy-blocked', where);
  };

  /** Puts launcher or panel into the page, and back when the page swaps its body or the route its element. */
  #stand(inline: boolean): void {
    let at: Element | null = null;
    const look = (): void => {
      const found = inline ? this.#container() : (document.body as Element | null);
      const element = this.#launcher?.element;
      if (!found || (found === at && element?.parentNode !== null)) return;
      at = found;
      if (element) {
        found.append(element);
        watch.observe(found, { childList: true });
        this.restack();
      } else if (this.#panel) this.#panel.update();
      else void this.#show(false);
    };
    const watch = new MutationObserver(look);
    watch.observe(document.documentElement, { childList: true, subtree: inline });
    const cancel = clock.after(10_000, () => at ?? this.#report('mount-missing', this.#page.mount ?? 'data-mount'));
    this.#end.signal.onabort = () => {
      watch.disconnect();
      cancel();
    };
    look();
  }

  #container(): Element | null {
    try {
      return document.querySelector(String(this.#page.mount));
    } catch {
      return null; // not a selector: said to be missing after a while
    }
  }

  async #ask(): Promise<EmbedInfo> {
    try {
      const answer = await fetch(`${this.#server.url}/v1/modules/scaibot/bots/${this.botId}/embed-info`, {
        signal: this.#end.signal,
      });
      const body = (await answer.json()) as Envelope<EmbedInfo>;
      if (body.status !== 'ok') {
        if (answer.status === 404)
          this.#leave(body.error.code === 'BOT_NOT_ACTIVE' ? 'bot-not-active' : 'bot-not-found');
        return {};
      }
      const info = body.data;
      // A draft talks with a preview token alone, and its token may come later than its face.
      const judge = (): void => {
        if (info.status === 'draft' && this.#tokens.token?.preview === false) this.#leave('bot-not-active');
      };
      this.#tokens.listen(judge);
      judge();
      this.settings = settle(this.#page, info, this.#refused);
      this.restack();
      this.#panel?.update();
      return info;
    } catch {
      return {};
    }
  }

  #leave = (code: MessageCode): void => {
    this.#report(code);
    this.destroy();
  };

  async #show(focus: boolean): Promise<void> {
    const button = this.#launcher?.button;
    if (button) button.ariaBusy = 'true';
    const panel = await this.#load();
    if (button) button.ariaBusy = 'false';
    panel?.open({ focus });
  }

  #load(): Promise<Panel | undefined> {
    return (this.#loading ??= this.#fetch());
  }

  async #fetch(): Promise<Panel | undefined> {
    // A browser may remember that a module failed to load, so that trying again needs another address.
    const url = this.#server.assets + __PANEL__ + (this.#attempts ? `?${this.#attempts}` : '');
    try {
      const { createPanel } = await load<PanelModule>(url);
      return this.#gone ? undefined : (this.#panel = createPanel(this.#host()));
    } catch {
      this.#loading = undefined;
      this.#attempts++;
      this.#report('panel-unreachable', url);
      return undefined;
    }
  }

  #host(): PanelHost {
    return {
      seam: SEAM,
      server: this.#server.url,
      tokens: this.#tokens,
      info: this.#info,
      launcher: this.#launcher,
      settings: () => this.settings,
      claims: () => this.#claims,
      context: () => this.#context,
      container: () => this.#container(),
      emit: this.#emit,
      report: this.#report,
      gone: this.#leave,
      violations: this.#violations,
      shown: (open) => {
        this.#open = open;
        this.#emit(open ? 'open' : 'close', {});
      },
    };
  }
}

/** The bot's face as it last was; the panel keeps it for visitors who have spoken with it. */
function recall(botId: string): EmbedInfo {
  try {
    return Object(JSON.parse(localStorage[`scaibot:info:${botId}`] as string)) as EmbedInfo;
  } catch {
    return {};
  }
}
