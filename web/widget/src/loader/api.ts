/** The types of `window.ScaiBot`. */
import type { Claims, Finding, Off, PageContext, SendOutcome } from '../seam.ts';
import type { EventMap, EventName } from '../table/events.ts';
import type { Options } from '../table/options.ts';

export type Listener<E extends EventName> = (detail: EventMap[E]) => void;

/** One bot on the page. */
export interface Bot {
  readonly botId: string;
  open(): void;
  close(): void;
  toggle(): void;
  send(text: string): Promise<SendOutcome>;
  on<E extends EventName>(event: E, fn: Listener<E>): Off;
  off<E extends EventName>(event: E, fn: Listener<E>): void;
  identify(claims: Claims): Promise<{ verified: boolean }>;
  setContext(context: PageContext): void;
  doctor(): Promise<Finding[]>;
  destroy(): void;
}

/** The calls that go to the first bot; undefined while there is none. */
export type Forwarded = 'open' | 'close' | 'toggle' | 'send' | 'identify' | 'setContext' | 'doctor';

export type ScaiBot = {
  readonly [Call in Forwarded]: (...args: Parameters<Bot[Call]>) => ReturnType<Bot[Call]> | undefined;
} & {
  readonly version: string;
  /** Puts a bot on the page, or replaces the one with the same id. Undefined where the options do not allow it. */
  init(options: Options): Bot | undefined;
  get(botId: string): Bot | undefined;
  /** Listens to every bot. */
  on<E extends EventName>(event: E, fn: Listener<E>): Off;
  off<E extends EventName>(event: E, fn: Listener<E>): void;
  /** Takes every bot off the page. */
  destroy(): void;
};

/** Before the script has loaded: `window.ScaiBot = {q: [["init", {…}]]}`. */
export interface Queue {
  q?: [string, ...unknown[]][];
}

declare global {
  interface Window {
    ScaiBot?: ScaiBot;
  }
}
