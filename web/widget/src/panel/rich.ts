/**
 * What makes an answer more than plain text: Markdown, numbered sources, copying. Loaded when the first answer is near, so
 * that the panel opens without it.
 */
import { MarkdownView } from './markdown/answer-view.ts';
import { branch, patch, type Tree } from './markdown/node.ts';
import { safeUrl } from './markdown/url.ts';
import type { Entry } from './entry.ts';
import type { Say } from './words.ts';

/** The list of sources, closed. */
function details(citations: Entry['citations'], summary: string): Tree {
  const items = citations.map(({ n, title, url, heading, quote }) => {
    const safe = safeUrl(url);
    const name = title || url || String(n);
    const kids: Tree[] = [
      safe ? branch('a', [name], { href: safe.href, target: '_blank', rel: 'noopener nofollow' }) : branch('b', [name]),
    ];
    if (heading && heading !== title) kids.push(branch('span', [heading]));
    if (quote) kids.push(branch('q', [quote]));
    return branch('li', kids, { value: String(n), tabindex: '-1', dir: 'auto' });
  });
  return branch('details', [branch('summary', [summary]), branch('ol', items)], { class: 'sources', part: 'sources' });
}

export class Rich {
  readonly #body: HTMLElement;
  readonly #sources: HTMLElement;
  readonly #say: Say;
  readonly #markdown: MarkdownView;
  #listed = '';
  #tree: Tree[] = [];

  /** Takes over `body`, and `sources` for the list below it. */
  constructor(body: HTMLElement, sources: HTMLElement, say: Say) {
    this.#body = body;
    this.#sources = sources;
    this.#say = say;
    body.replaceChildren();
    body.classList.add('md');
    this.#markdown = new MarkdownView(body);
    body.addEventListener('click', (event) => {
      const button = (event.target as Element).closest<HTMLElement>('button');
      if (button?.matches('.cite')) this.#open(button.dataset.n ?? '');
      else if (button?.matches('.copy')) void this.#copy(button);
    });
  }

  show(text: string, citations: Entry['citations'], final: boolean): void {
    this.#markdown.show(text, final);
    this.#name(citations, final);
    const list = final ? JSON.stringify(citations) : '';
    if (list !== this.#listed) this.#list(citations);
    this.#listed = list;
  }

  /** Gives the numbers in the text their names; one without a source becomes text again at the end. */
  #name(citations: Entry['citations'], final: boolean): void {
    for (const button of this.#body.querySelectorAll<HTMLElement>('.cite:not([aria-label])')) {
      const source = citations.find((c) => String(c.n) === button.dataset.n);
      if (source) button.setAttribute('aria-label', this.#say('source', { n: source.n, title: source.title }));
      else if (final) button.replaceWith(`[${button.dataset.n ?? ''}]`);
    }
    const clipboard = navigator.clipboard as Clipboard | undefined;
    for (const button of this.#body.querySelectorAll<HTMLElement>('.copy:empty')) {
      button.append(this.#say('copy'));
      button.hidden = !clipboard;
    }
    for (const table of this.#body.querySelectorAll('.table:not([aria-label])'))
      table.setAttribute('aria-label', this.#say('table'));
  }

  #list(citations: Entry['citations']): void {
    const before = this.#tree;
    this.#tree = citations.length ? [details(citations, this.#say('sources', { n: citations.length }))] : [];
    patch(this.#sources, before, this.#tree);
  }

  #open(n: string): void {
    const details = this.#sources.querySelector('details');
    if (!details) return;
    details.open = true;
    const item = details.querySelector<HTMLElement>(`li[value="${n}"]`);
    item?.scrollIntoView({ block: 'nearest' });
    item?.focus({ preventScroll: true });
  }

  async #copy(button: HTMLElement): Promise<void> {
    try {
      await navigator.clipboard.writeText(button.closest('.code')?.querySelector('code')?.textContent ?? '');
      button.textContent = this.#say('copied');
    } catch {
      // the page's policy forbids it: the text can still be selected
    }
  }
}
