/** The button that opens the chat. Its element is the page's to paint; its place, icon and button are ours. */
import { onColour } from '../contrast.ts';
import { place, vary } from '../geometry.ts';
import { icon, strokes } from '../icons.ts';
import type { Settings } from '../seam.ts';
import { load } from './chunk.ts';

declare const __ICONS__: string;

const size = 'var(--scaibot-launcher-size,var(--sb-bot-launcher-size,56px))';
const primary = 'var(--scaibot-primary,var(--sb-bot-primary,#4f46e5))';
const text = (auto: string): string => `color:var(--scaibot-primary-text,var(--sb-bot-primary-text,${auto}))`;

const paint = `:where(.scaibot-launcher){background:${primary};${text('#fff')};border-radius:50%;box-shadow:0 6px 20px rgb(15 17 26/.22)}
@supports(color:lab(from red l a b)){:where(.scaibot-launcher){${text(onColour(primary))}}}`;

// The shadow behind the icon keeps it in sight where a page's reset took the paint away.
const inside = `:host,button,img{border-radius:inherit}button{all:initial;color:inherit;position:absolute;inset:0;display:grid;place-items:center;cursor:pointer}
button:focus-visible{outline:3px solid;outline-offset:-6px}${strokes}svg{width:46%;height:46%;filter:drop-shadow(0 0 1px rgb(0 0 0/.4))}
img{width:100%;height:100%;object-fit:cover}`;

function sheet(css: string): CSSStyleSheet {
  const made = new CSSStyleSheet();
  made.replaceSync(css);
  return made;
}

const bubble = 'M21 11.5a8.4 8.4 0 0 1-12.2 7.5L3 21l2-5.8A8.4 8.4 0 1 1 21 11.5z';

let shared: CSSStyleSheet | undefined;
let users = 0;

export interface Launcher {
  readonly element: HTMLElement;
  readonly button: HTMLButtonElement;
  /** Puts it where the settings say; `stack` launchers stand in the same corner already. */
  place(s: Settings, stack: number, hidden: boolean): void;
  remove(): void;
}

export function launcher(assets: string, press: () => void, intent: () => void): Launcher {
  const element = document.createElement('div');
  const button = document.createElement('button');
  let shown: string | undefined;
  element.className = 'scaibot-launcher';
  button.part.add('launcher-button');
  button.ariaHasPopup = 'dialog';
  button.ariaExpanded = 'false';
  button.onclick = press;
  button.onpointerenter = button.onfocus = intent;
  const root = element.attachShadow({ mode: 'open' });
  root.adoptedStyleSheets = [sheet(inside)];
  root.append(button);
  shared ??= sheet(paint);
  if (!users++) document.adoptedStyleSheets.push(shared);

  return {
    element,
    button,
    place(s, stack, hidden) {
      const [vertical, side] = String(s.position).split('-') as [string, string];
      vary(element, { ...s.botVariables, '--scaibot-primary': s.primaryColor });
      place(element, {
        position: 'fixed',
        display: hidden ? 'none' : 'block',
        width: size,
        height: size,
        'z-index': String(s.zIndex),
        [side]: `calc(${String(s.offsetX)}px + env(safe-area-inset-${side},0px) + ${stack}*(${size} + 12px))`,
        [vertical]: `calc(${String(s.offsetY)}px + env(safe-area-inset-${vertical},0px))`,
      });
      button.ariaLabel = s.title || s.info.display_name || 'Chat';
      const name = String(s.launcherIcon);
      if (name !== shown) draw((shown = name), assets, (drawing) => name === shown && button.replaceChildren(drawing));
    },
    remove() {
      element.remove();
      if (!--users) document.adoptedStyleSheets = document.adoptedStyleSheets.filter((s) => s !== shared);
    },
  };
}

/** The ordinary icon, at once; another one over it when it is there. */
function draw(name: string, assets: string, show: (drawing: Element) => void): void {
  show(icon(bubble));
  if (name.includes(':')) {
    const image = new Image();
    image.alt = '';
    image.onload = () => show(image);
    image.src = name;
  } else if (name !== 'speech-bubble') {
    load<typeof import('../launcher-icons.ts')>(assets + __ICONS__).then(
      ({ paths }) => show(icon(paths[name] ?? bubble)),
      () => undefined,
    );
  }
}
