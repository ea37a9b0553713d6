/** The button that opens the chat. Its element is the page's to paint; its place, icon and button are ours. */
import { onColour } from '../contrast.ts';
import { bots, place, vary } from '../geometry.ts';
import { icon, launcherIcons } from '../icons.ts';
import type { Settings } from '../seam.ts';

const size = 'var(--scaibot-launcher-size,var(--sb-bot-launcher-size,56px))';
const primary = 'var(--scaibot-primary,var(--sb-bot-primary,#4f46e5))';

const text = (auto: string): string => `color:var(--scaibot-primary-text,var(--sb-bot-primary-text,${auto}))`;

const paint = `:where(.scaibot-launcher){background:${primary};${text('#fff')};border-radius:50%;box-shadow:0 6px 20px rgb(15 17 26/.22)}
:where(.scaibot-launcher:hover){box-shadow:0 8px 28px rgb(15 17 26/.32)}
@supports(color:lab(from red l a b)){:where(.scaibot-launcher){${text(onColour(primary))}}}`;

// The shadow behind the icon keeps it in sight where a page's reset took the paint away.
const inside = `:host,button{border-radius:inherit}button{all:unset;position:absolute;inset:0;display:grid;place-items:center;cursor:pointer;touch-action:manipulation}
button:focus-visible{outline:3px solid;outline-offset:-6px}svg{width:46%;height:46%;filter:drop-shadow(0 0 1px rgb(0 0 0/.4))}
img{width:100%;height:100%;object-fit:cover;border-radius:inherit}[aria-busy=true]>*{opacity:.5}
@media(forced-colors:active){button{border:2px solid;box-sizing:border-box}}`;

function sheet(css: string): CSSStyleSheet {
  const made = new CSSStyleSheet();
  made.replaceSync(css);
  return made;
}

let shared: CSSStyleSheet | undefined;
let users = 0;

export class Launcher {
  readonly element = document.createElement('div');
  readonly button = document.createElement('button');
  #shown = '';

  constructor(press: () => void, intent: () => void) {
    const { element, button } = this;
    element.className = 'scaibot-launcher';
    button.part.add('launcher-button');
    button.type = 'button';
    button.ariaHasPopup = 'dialog';
    button.ariaExpanded = 'false';
    button.onclick = press;
    button.onpointerenter = button.onfocus = button.ontouchstart = intent;
    const root = element.attachShadow({ mode: 'open', delegatesFocus: true });
    root.adoptedStyleSheets = [sheet(inside)];
    root.append(button);
    shared ??= sheet(paint);
    if (!users++) document.adoptedStyleSheets.push(shared);
  }

  /** Puts it where the settings say; `stack` launchers stand in the same corner already. */
  place(s: Settings, stack: number, hidden: boolean): void {
    const [vertical = 'bottom', side = 'right'] = (s.position ?? '').split('-');
    const from = (edge: string, pixels: string): string => `calc(${pixels} + env(safe-area-inset-${edge},0px))`;
    vary(this.element, { ...bots(s.botVariables), '--scaibot-primary': s.primaryColor });
    place(this.element, {
      position: 'fixed',
      display: hidden ? 'none' : 'block',
      width: size,
      height: size,
      'z-index': `${s.zIndex ?? ''}`,
      [side]: from(side, `${s.offsetX ?? 0}px + ${stack}*(${size} + 12px)`),
      [vertical]: from(vertical, `${s.offsetY ?? 0}px`),
    });
    this.button.ariaLabel = s.title || 'Chat';
    if (this.#shown !== s.launcherIcon) this.#draw((this.#shown = s.launcherIcon ?? ''));
  }

  remove(): void {
    this.element.remove();
    if (!--users) document.adoptedStyleSheets = document.adoptedStyleSheets.filter((s) => s !== shared);
  }

  #draw(name: string): void {
    let drawing: Element = icon(launcherIcons[name] ?? launcherIcons['speech-bubble'] ?? '');
    if (name.includes(':')) {
      const image = (drawing = document.createElement('img'));
      image.alt = '';
      image.onerror = () => this.#draw('');
      image.src = name;
    }
    this.button.replaceChildren(drawing);
  }
}
