/**
 * The seam between loader and panel. The two are separate files, and a page may hold the loader of one release with the
 * panel of the next: change this only by adding optional members.
 */
import type { EmbedInfo } from '../../protocol/wire.ts';
import type { Options } from './table/options.ts';
import type { EventMap } from './table/events.ts';
import type { MessageCode } from './table/messages.ts';

export const SEAM = 1;

export type Off = () => void;

/** An embed token and what its payload tells of its bearer. Lives in closures only. */
export interface Token {
  readonly raw: string;
  /** Opaque visitor; "" where the token is not one of ours. */
  readonly sub: string;
  readonly anon: boolean;
  readonly preview: boolean;
  /** Milliseconds that it lives, and the monotonic time at which it began to. */
  readonly life: number;
  readonly born: number;
}

/** Where tokens come from. Read its fields whenever it calls its listeners. */
export interface TokenFeed {
  /** The newest token, whether or not it still lives. */
  readonly token: Token | undefined;
  /** The endpoint did not answer with a new token, and is tried again. */
  readonly failing: boolean;
  /** No token will come by itself any more: a static one ran out, or the site said 204. */
  readonly ended: boolean;
  /** Asks the endpoint as soon as manners allow; false where there is none. */
  refresh(): boolean;
  listen(fn: () => void): Off;
}

/** Who the page says its visitor is. Advisory. */
export interface Claims {
  id?: string | undefined;
  email?: string | undefined;
  name?: string | undefined;
}

export interface PageContext {
  url?: string | undefined;
  title?: string | undefined;
}

/** What page and bot said of wiring and placement; of all else what the page said, as it said it. */
export interface Settings extends Options {
  /** Values of `--scaibot-x` that the bot's settings hold, as `--sb-bot-x`, which our sheets read below the page's. */
  botVariables: Record<string, string>;
  /** The bot's public face, as far as it is known. */
  info: EmbedInfo;
}

/** What the loader lends to the panel. */
export interface PanelHost {
  readonly seam: number;
  /** Address of the ScaiGrid server, no slash at the end. */
  readonly server: string;
  readonly tokens: TokenFeed;
  /** Resolves with the bot's public face, or with {} where it cannot be had. */
  readonly info: Promise<EmbedInfo>;
  settings(): Settings;
  claims(): Claims;
  context(): PageContext;
  emit<E extends keyof EventMap>(event: E, detail: Omit<EventMap[E], 'botId'>): void;
  report(code: MessageCode, where?: string): void;
  /** Element that an inline panel is to be put into; null while there is none. */
  container(): Element | null;
  /** The launcher's button and the element that it is in; undefined for an inline chat. */
  readonly launcher: { readonly element: HTMLElement; readonly button: HTMLButtonElement } | undefined;
  /** The panel was opened or closed, by whomever. */
  shown(open: boolean): void;
  /** The bot does not exist or does not answer: everything goes. */
  gone(code: MessageCode): void;
  /** Violations of the page's policy seen so far that concern us. */
  readonly violations: ReadonlySet<string>;
}

export interface SendOutcome {
  /** False where the message could not be delivered and waits or was refused; see `error`. */
  sent: boolean;
  messageId?: string | undefined;
  error?: { code: string; message: string } | undefined;
}

export interface Finding {
  check: string;
  ok: boolean;
  detail: string;
  fix?: string | undefined;
}

export interface Panel {
  open(how: { focus: boolean }): void;
  close(): void;
  send(text: string): Promise<SendOutcome>;
  /** Settings, claims or the container changed. */
  update(): void;
  doctor(): Promise<Finding[]>;
  destroy(): void;
}

/** What the panel's module exports. */
export interface PanelModule {
  createPanel: (host: PanelHost) => Panel;
}
