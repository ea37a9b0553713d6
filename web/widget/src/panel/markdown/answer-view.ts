/**
 * Shows a growing text as Markdown. Blocks that can no longer change are left alone; the last one or two are parsed again
 * and patched. The end result depends on the text alone, not on how it was cut on its way.
 */
import { blocks } from './block.ts';
import { patch, type Tree } from './node.ts';

export class MarkdownView {
  readonly #root: Element;
  /** Text of the blocks that may still change. */
  #pending = '';
  #shown: Tree[] = [];
  /** Child nodes that are final. */
  #settled = 0;
  #text = '';
  #final = false;

  constructor(root: Element) {
    this.#root = root;
  }

  /** Shows the whole text so far; `final` says that there will be no more. */
  show(text: string, final: boolean): void {
    if (!text.startsWith(this.#text) || (this.#final && (text !== this.#text || !final))) this.#clear();
    this.#pending += text.slice(this.#text.length);
    this.#text = text;
    this.#final = final;
    this.#update(!final);
  }

  #clear(): void {
    this.#root.replaceChildren();
    this.#pending = this.#text = '';
    this.#shown = [];
    this.#settled = 0;
  }

  #update(open: boolean): void {
    // A carriage return at the very end may be the first half of a line's end.
    const text = (open && this.#pending.endsWith('\r') ? this.#pending.slice(0, -1) : this.#pending)
      .replace(/\r\n?/g, '\n')
      .replace(/\t/g, '    ')
      .replace(/\0/g, '\ufffd');
    const lines = text.split('\n');
    const found = blocks(lines, open);
    const after = found.map((block) => block.tree);
    patch(this.#root, this.#shown, after, this.#settled);
    this.#shown = after;
    if (!open) return;
    // A block that begins in the unfinished last line may still turn out to be part of the one before.
    const last = found.at(-1);
    const keep = last && last.line === lines.length - 1 ? 2 : 1;
    const done = found.length - keep;
    const from = done > 0 ? found[done] : undefined;
    if (!from) return;
    this.#settled += done;
    this.#shown = after.slice(done);
    this.#pending = lines.slice(from.line).join('\n') + (this.#pending.endsWith('\r') ? '\r' : '');
  }
}
