/** What the panel does with the launcher: a chevron while it is open, a number of answers that came meanwhile. */
import { icon } from '../../icons.ts';
import type { PanelHost } from '../../seam.ts';
import { el } from './element.ts';
import { paths } from './paths.ts';

const css = `i{position:absolute;top:-4px;inset-inline-end:-4px;min-width:20px;height:20px;padding:0 5px;box-sizing:border-box;border-radius:10px;
background:#d92d20;color:#fff;font:600 12px/20px system-ui,sans-serif;text-align:center;pointer-events:none}[aria-busy=true]>*{opacity:.5}@media(forced-colors:active){button{border:2px solid;box-sizing:border-box}}i:empty{display:none}
button[aria-expanded=true]>*{opacity:0}button~svg{position:absolute;inset:0;margin:auto;pointer-events:none}button:not([aria-expanded=true])~svg{display:none}`;

export class LauncherMarks {
  readonly #host: PanelHost;
  readonly #badge = el('i');

  constructor(host: PanelHost) {
    this.#host = host;
    const root = host.launcher?.element.shadowRoot;
    if (!root) return;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets.push(sheet);
    // Beside the button: what is in it is the loader's to draw, and may come later.
    root.append(icon(paths.chevron), this.#badge);
  }

  open(open: boolean): void {
    const button = this.#host.launcher?.button;
    if (button) button.ariaExpanded = String(open);
  }

  unread(count: number): void {
    this.#badge.textContent = count ? String(count) : '';
  }
}
