/** The frame of the chat: head, transcript, notice, composer; its place in the page, its colours, the focus. */
import { contrast, rgb } from '../../colour.ts';
import { place, vary } from '../../geometry.ts';
import { icon } from '../../icons.ts';
import type { PanelHost, Settings } from '../../seam.ts';
import { botName, variables, type VariableName } from '../../table/variables.ts';
import { attribute, el } from './element.ts';
import { paths } from './paths.ts';
import { css } from './styles.ts';

export interface FrameActions {
  close: () => void;
  fresh: () => void;
}

export interface FrameWords {
  title: string;
  close: string;
  fresh: string;
  language: string;
  theme: string;
}

const PHONE = '(max-width: 480px), (max-height: 420px)';
const focusable = 'button:not([tabindex="-1"]),a[href],textarea:not(:disabled),summary,[tabindex="0"]';

const size = (name: VariableName): string => `var(--scaibot-${name},var(${botName(name)},${variables[name].light}))`;

export class Frame {
  readonly element = el('div', { class: 'scaibot-panel' });
  readonly root = el('div', { class: 'root' });
  readonly announcer = el('div', { class: 'sr', 'aria-live': 'polite', role: 'status' });
  readonly #host: PanelHost;
  readonly #panel: HTMLElement;
  readonly #title = el('h2', { class: 'title', part: 'title' });
  readonly #status = el('p', { class: 'status' });
  readonly #notice = el('div', { class: 'notice', part: 'notice', role: 'status', hidden: '' });
  readonly #close: HTMLButtonElement;
  readonly #fresh: HTMLButtonElement;
  readonly #probe = el('i', { class: 'probe' });
  readonly #dark = matchMedia('(prefers-color-scheme: dark)');
  readonly #phone = matchMedia(PHONE);
  readonly #offs: (() => void)[] = [];
  #open = false;
  #theme = 'auto';
  #before: HTMLElement | null = null;

  constructor(host: PanelHost, middle: HTMLElement, composer: HTMLElement, actions: FrameActions) {
    this.#host = host;
    const tool = (path: string, act: () => void): HTMLButtonElement => {
      const button = el('button', { type: 'button', class: 'tool', part: 'header-button' }, icon(path));
      button.onclick = act;
      return button;
    };
    this.#fresh = tool(paths.fresh, actions.fresh);
    this.#close = tool(paths.close, actions.close);
    const face = el('div', { class: 'face', 'aria-hidden': 'true' }, icon(paths.bubble));
    const head = el(
      'div',
      { class: 'head', part: 'header' },
      face,
      el('div', { class: 'names' }, this.#title, this.#status),
      this.#fresh,
      this.#close,
    );
    this.#panel = el(
      'section',
      { class: 'panel', part: 'panel', tabindex: '-1' },
      head,
      middle,
      this.#notice,
      composer,
      this.announcer,
    );
    this.root.append(this.#panel, this.#probe);
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    const shadow = this.element.attachShadow({ mode: 'open' });
    shadow.adoptedStyleSheets = [sheet];
    shadow.append(this.root);
    this.#panel.addEventListener('keydown', (event) => this.#key(event, actions));
    this.#watch();
  }

  get open(): boolean {
    return this.#open;
  }

  /** Floating on a phone, and fullscreen, it covers all. */
  get #sheet(): boolean {
    const { mode } = this.#settings;
    return mode === 'fullscreen' || (mode === 'floating' && this.#phone.matches);
  }

  get #settings(): Settings {
    return this.#host.settings();
  }

  dress({ title, close, fresh, language, theme }: FrameWords): void {
    this.#theme = theme;
    this.#title.textContent = title;
    this.#panel.setAttribute('aria-label', title);
    for (const [button, name] of [
      [this.#close, close],
      [this.#fresh, fresh],
    ] as const) {
      button.setAttribute('aria-label', name);
      button.title = name;
    }
    this.root.lang = language;
    attribute(this.root, 'dir', /^(?:ar|fa|he|ur)/.test(language) ? 'rtl' : 'ltr');
    this.settle();
  }

  /** Takes over settings, container, and the size of the window. */
  settle(): void {
    const s = this.#settings;
    const inline = s.mode === 'inline';
    attribute(this.root, 'data-mode', s.mode);
    attribute(this.root, 'data-sheet', this.#sheet ? '' : undefined);
    attribute(this.root, 'data-theme', this.#theme === 'auto' ? (this.#dark.matches ? 'dark' : 'light') : this.#theme);
    attribute(this.#panel, 'role', inline ? 'region' : 'dialog');
    attribute(this.#panel, 'aria-modal', this.#sheet ? 'true' : undefined);
    this.#close.hidden = inline;
    vary(this.element, { ...s.botVariables, '--scaibot-primary': s.primaryColor });
    place(this.element, this.#geometry(s));
    const parent = inline ? this.#host.container() : (document.body as HTMLElement | null);
    if (parent && this.element.parentNode !== parent) parent.append(this.element);
    this.#readable();
  }

  show(focus: boolean): void {
    if (!this.#open) this.#before = document.activeElement as HTMLElement | null;
    this.#open = true;
    this.settle();
    if (!focus || this.#settings.mode === 'inline') return;
    const input = this.root.querySelector<HTMLElement>('textarea:not(:disabled)');
    // On a touch screen the keyboard would cover the welcome message at once.
    if (input && !matchMedia('(pointer: coarse)').matches) input.focus({ preventScroll: true });
    else this.#panel.focus({ preventScroll: true });
  }

  hide(): void {
    if (!this.#open) return;
    this.#open = false;
    const inside = document.activeElement === this.element;
    place(this.element, this.#geometry(this.#settings));
    if (!inside) return;
    const { launcher } = this.#host;
    const before = this.#before?.isConnected && this.#before !== document.body ? this.#before : undefined;
    const back = before === launcher?.element ? launcher?.button : (before ?? launcher?.button);
    back?.focus({ preventScroll: true });
  }

  /** What stands under the title, and the notice above the input; "" for nothing. */
  tell(state: string, status: string, notice: string): void {
    this.#status.textContent = status;
    attribute(this.#notice, 'data-state', state);
    if (this.#notice.textContent !== notice) this.#notice.textContent = notice;
    this.#notice.hidden = !notice;
  }

  canStartFresh(can: boolean): void {
    this.#fresh.hidden = !can;
  }

  destroy(): void {
    for (const off of this.#offs) off();
    this.element.remove();
  }

  #watch(): void {
    const on = (target: EventTarget | null, type: string, fn: () => void): void => {
      target?.addEventListener(type, fn);
      this.#offs.push(() => target?.removeEventListener(type, fn));
    };
    on(this.#dark, 'change', () => this.settle());
    on(this.#phone, 'change', () => this.settle());
    // A phone's keyboard shrinks what is seen, not the window.
    on(window.visualViewport, 'resize', () => this.#sheet && this.#open && this.settle());
    on(window.visualViewport, 'scroll', () => this.#sheet && this.#open && this.settle());
  }

  #geometry(s: Settings): Record<string, string> {
    const shown: Record<string, string> = { display: this.#open || s.mode === 'inline' ? 'block' : 'none' };
    if (s.mode === 'inline')
      return {
        ...shown,
        position: 'relative',
        width: '100%',
        height: '100%',
        'z-index': 'auto',
        'min-height': '320px',
        float: 'none',
      };
    const fixed = { ...shown, position: 'fixed', 'z-index': String(s.zIndex) };
    const view = window.visualViewport;
    if (this.#sheet) {
      const keyboard = view && view.height < window.innerHeight - 80;
      return {
        ...fixed,
        top: keyboard ? `${view.offsetTop}px` : '0',
        left: '0',
        width: '100%',
        height: keyboard ? `${view.height}px` : '100dvh',
      };
    }
    const [vertical = 'bottom', side = 'right'] = (s.position ?? '').split('-');
    const x = `${s.offsetX ?? 20}px`;
    const y = `${(s.offsetY ?? 20) + 12}px`;
    const away = `calc(${y} + ${size('launcher-size')} + env(safe-area-inset-${vertical},0px))`;
    return {
      ...fixed,
      [side]: `calc(${x} + env(safe-area-inset-${side},0px))`,
      [vertical]: away,
      width: `min(${size('width')},100vw - 2*${x})`,
      height: `min(${size('height')},100dvh - ${away.slice(4)} - 12px)`,
    };
  }

  /** Keeps text readable on the colours that page and bot agreed on. */
  #readable(): void {
    if (!this.element.isConnected) return;
    const style = getComputedStyle(this.#probe);
    const [primary, ground] = [rgb(style.color), rgb(style.backgroundColor)];
    // Halfway to the text's colour, which reads on the ground, the accent does too.
    attribute(this.root, 'data-pale', primary && ground && contrast(primary, ground) < 4.6 ? '' : undefined);
  }

  #key(event: KeyboardEvent, actions: FrameActions): void {
    if (event.key === 'Escape' && this.#settings.mode !== 'inline' && !event.isComposing) {
      event.stopPropagation();
      actions.close();
    }
    if (event.key !== 'Tab' || !this.#sheet) return;
    const all = [...this.#panel.querySelectorAll<HTMLElement>(focusable)].filter((e) => e.checkVisibility());
    const at = (this.element.shadowRoot as ShadowRoot).activeElement;
    const [first, last] = [all[0], all.at(-1)];
    const edge = event.shiftKey ? at === first || at === this.#panel : at === last;
    if (!edge) return;
    event.preventDefault();
    (event.shiftKey ? last : first)?.focus();
  }
}
