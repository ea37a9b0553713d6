/** The button that opens the chat. Its element is the page's to paint; its place, icon and button are ours. */
import { rgb, textOn } from '../colour.ts';
import { place, vary } from '../geometry.ts';
import { chevron, icon, launcherIcons } from '../icons.ts';
import type { Settings } from '../seam.ts';

const size = 'var(--scaibot-launcher-size,var(--sb-bot-launcher-size,56px))';

const paint = `:where(.scaibot-launcher){background:var(--scaibot-primary,var(--sb-bot-primary,#4f46e5));border-radius:50%;
box-shadow:0 6px 20px rgb(15 17 26/.22);color:var(--scaibot-primary-text,var(--sb-on-primary,#fff));transition:box-shadow .2s}
:where(.scaibot-launcher:hover){box-shadow:0 8px 28px rgb(15 17 26/.3)}`;

const inside = `button{all:unset;box-sizing:border-box;position:absolute;inset:0;display:grid;place-items:center;border-radius:inherit;cursor:pointer;
color:var(--scaibot-primary-text,var(--sb-on-primary,#fff));touch-action:manipulation;-webkit-tap-highlight-color:transparent}
:host{border-radius:inherit}
button.bare{background:var(--scaibot-primary,var(--sb-bot-primary,#4f46e5));border-radius:50%}
button:focus-visible{outline:3px solid currentColor;outline-offset:-6px}
svg,img{width:46%;height:46%;display:block}img{border-radius:inherit;object-fit:cover}img.whole{width:100%;height:100%}
button[aria-busy=true] svg{opacity:.5}
i{position:absolute;top:-4px;inset-inline-end:-4px;min-width:20px;height:20px;padding:0 5px;box-sizing:border-box;border-radius:10px;background:#d92d20;color:#fff;
font:600 12px/20px system-ui,sans-serif;text-align:center}
i:empty{display:none}
@media(forced-colors:active){button{border:2px solid ButtonText;color:ButtonText;background:ButtonFace;forced-color-adjust:none}}`;

function sheet(css: string): CSSStyleSheet {
  const made = new CSSStyleSheet();
  made.replaceSync(css);
  return made;
}

let shared: CSSStyleSheet | undefined;
let users = 0;

export class Launcher {
  readonly element = document.createElement('div');
  readonly #button = document.createElement('button');
  readonly #badge = document.createElement('i');
  #shown = '';

  constructor(press: () => void, intent: () => void) {
    const { element } = this;
    element.className = 'scaibot-launcher';
    const button = this.#button;
    button.type = 'button';
    button.part.add('launcher-button');
    button.setAttribute('aria-haspopup', 'dialog');
    button.onclick = press;
    button.onpointerenter = button.onfocus = button.ontouchstart = intent;
    const root = element.attachShadow({ mode: 'open', delegatesFocus: true });
    root.adoptedStyleSheets = [sheet(inside)];
    root.append(button, this.#badge);
    shared ??= sheet(paint);
    if (!users++) document.adoptedStyleSheets.push(shared);
    this.open(false);
  }

  /** Puts it where the settings say; `stack` launchers stand in the same corner already. */
  place(s: Settings, stack: number): void {
    const [vertical = 'bottom', side = 'right'] = (s.position ?? '').split('-');
    const offset = `calc(${s.offsetX ?? 20}px + env(safe-area-inset-${side},0px) + ${stack}*(${size} + 12px))`;
    const geometry = {
      position: 'fixed',
      display: 'block',
      width: size,
      height: size,
      'z-index': String(s.zIndex),
      [side]: offset,
      [vertical]: `calc(${s.offsetY ?? 20}px + env(safe-area-inset-${vertical},0px))`,
    };
    vary(this.element, { ...bots(s.botVariables), '--scaibot-primary': s.primaryColor });
    place(this.element, geometry);
    if (this.#shown !== s.launcherIcon) this.#draw((this.#shown = s.launcherIcon ?? ''));
    this.contrast();
  }

  /** Chooses the icon's colour for the ground that page, bot and default agreed on. */
  contrast(): void {
    if (!this.element.isConnected) return;
    const style = getComputedStyle(this.element);
    const bare = !rgb(style.backgroundColor) && /^rgba?\(/.test(style.backgroundColor) && style.backgroundImage === 'none';
    this.#button.classList.toggle('bare', bare);
    const ground = rgb(getComputedStyle(bare ? this.#button : this.element).backgroundColor);
    if (ground) this.element.style.setProperty('--sb-on-primary', textOn(ground));
  }

  label(text: string): void {
    this.#button.setAttribute('aria-label', text);
  }

  open(open: boolean): void {
    this.#button.setAttribute('aria-expanded', String(open));
    this.#draw(open ? undefined : this.#shown);
  }

  busy(busy: boolean): void {
    this.#button.setAttribute('aria-busy', String(busy));
  }

  unread(count: number): void {
    this.#badge.textContent = count ? String(count) : '';
  }

  focus(): void {
    this.#button.focus();
  }

  hide(hidden: boolean): void {
    this.element.style.setProperty('display', hidden ? 'none' : 'block', 'important');
  }

  remove(): void {
    this.element.remove();
    if (!--users && shared) document.adoptedStyleSheets = document.adoptedStyleSheets.filter((s) => s !== shared);
  }

  #draw(name: string | undefined): void {
    const path = name === undefined ? chevron : launcherIcons[name];
    if (path || !name?.includes(':')) return this.#button.replaceChildren(icon(path ?? launcherIcons['speech-bubble'] ?? ''));
    const image = document.createElement('img');
    image.alt = '';
    image.className = 'whole';
    image.onerror = () => this.#draw('');
    image.src = name;
    this.#button.replaceChildren(image);
  }
}

/** The bot's variables under the names by which our sheets look for them. */
export function bots(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name.replace('--scaibot-', '--sb-bot-'), value]));
}
