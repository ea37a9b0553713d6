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

/** `down`: the endpoint does not answer and is tried again. `ended`: no token will come by itself any more. */
export type Health = 'up' | 'down' | 'ended';

export interface Tokens {
  /** The current token; waits for one while the endpoint is down. Rejects with `TokenEnded` where none will come. */
  get(): Promise<Token>;
  /** A token other than `stale`, at most one fetch for all that ask. */
  renew(stale: Token): Promise<Token>;
  /** Called with each new token, at once with the current one. */
  watch(fn: (token: Token) => void): Off;
  /** Called when tokens stop or start coming, at once with how it is. */
  health(fn: (health: Health) => void): Off;
}

/** No token will come any more: a static one ran out, or the site said 204. */
export class TokenEnded extends Error {
  override readonly name = 'TokenEnded';
}

/** By name: the class of the loader is not the class of the panel. */
export const isTokenEnded = (error: unknown): boolean => error instanceof Error && error.name === 'TokenEnded';

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

export interface Settings extends Options {
  /** Values of `--scaibot-` variables that the bot's settings hold, by public name. */
  botVariables: Record<string, string>;
  suggestedQuestions: string[];
}

/** What the loader lends to the panel. */
export interface PanelHost {
  readonly seam: number;
  readonly version: string;
  /** `https://host/v1/modules/scaibot`, no slash at the end. */
  readonly api: string;
  /** Address of the ScaiGrid server, no slash at the end. */
  readonly server: string;
  readonly tokens: Tokens;
  /** Resolves with the bot's public face, or with {} where it cannot be had. */
  readonly info: Promise<EmbedInfo>;
  settings(): Settings;
  claims(): Claims;
  context(): PageContext;
  emit<E extends keyof EventMap>(event: E, detail: Omit<EventMap[E], 'botId'>): void;
  report(code: MessageCode, where?: string): void;
  /** Element that the panel is to be put into, or null for the page itself. */
  container(): Element | null;
  /** The launcher's button and the element that it is in; null for an inline chat. */
  readonly launcher: { readonly element: HTMLElement; readonly button: HTMLButtonElement } | null;
  /** The panel was opened or closed, by whomever. */
  shown(open: boolean): void;
  /** The bot does not exist or does not answer: everything goes. */
  gone(code: MessageCode): void;
  /** Violations of the page's policy seen so far that concern us. */
  violations(): string[];
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
  createPanel(host: PanelHost): Panel;
}
