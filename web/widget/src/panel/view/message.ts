/** One message on the screen. */
import type { Rating } from '../../../../protocol/wire.ts';
import { icon } from '../../icons.ts';
import type { Entry } from '../entry.ts';
import { MarkdownView } from '../markdown/answer-view.ts';
import { safeUrl } from '../markdown/url.ts';
import type { Say } from '../words.ts';
import { attribute, el } from './element.ts';
import { paths } from './paths.ts';

export interface MessageActions {
  retry(entry: Entry): void;
  rate(entry: Entry, rating: Rating | undefined): void;
}

const over = new Set<Entry['status']>(['complete', 'stopped', 'interrupted', 'failed', 'withdrawn']);

export class MessageView {
  readonly root: HTMLElement;
  readonly entry: Entry;
  readonly #say: Say;
  readonly #actions: MessageActions;
  readonly #author = el('span', { class: 'sr' });
  readonly #bubble: HTMLElement;
  readonly #body = el('div', { dir: 'auto' });
  readonly #markdown: MarkdownView | undefined;
  readonly #waitText = el('span');
  readonly #wait = el('div', { class: 'wait' }, el('i'), el('i'), el('i'), this.#waitText);
  readonly #note = el('p', { class: 'note' });
  readonly #sources = el('div');
  readonly #foot = el('div', { class: 'foot' });
  #shown = '';

  constructor(entry: Entry, say: Say, actions: MessageActions) {
    this.entry = entry;
    this.#say = say;
    this.#actions = actions;
    const side = entry.role === 'user' ? 'user' : entry.role === 'system' ? 'system' : 'bot';
    if (entry.role === 'assistant') {
      this.#markdown = new MarkdownView(this.#body);
      this.#body.classList.add('md');
    }
    this.#bubble = el('div', { class: 'bubble', part: `bubble-${side}` }, this.#author, this.#body, this.#wait);
    this.root = el('div', { class: `msg ${side}`, part: 'message' }, this.#bubble, this.#note, this.#sources, this.#foot);
    this.root.addEventListener('click', (event) => this.#click(event));
  }

  /** Brings the entry's present text to the screen. `botName` is who answers. */
  update(botName: string, waiting: string): void {
    const { entry } = this;
    const streaming = entry.status === 'streaming';
    this.#author.textContent = entry.role === 'user' ? `${this.#say('you')}: ` : entry.role === 'system' ? '' : `${entry.agent?.name ?? botName}: `;
    if (this.#markdown) this.#markdown.show(entry.text, !streaming);
    else if (this.#body.textContent !== entry.text) this.#body.textContent = entry.text;
    this.#wait.hidden = !(streaming && !entry.text);
    this.#waitText.textContent = waiting;
    attribute(this.#bubble, 'hidden', !entry.text && this.#wait.hidden ? '' : undefined);
    this.#note.textContent = entry.note;
    this.#note.hidden = !entry.note;
    this.#numbers(!streaming);
    // Nothing below changes while words come.
    const { status, failure, rating, agent } = entry;
    const now = JSON.stringify([status, failure, rating, agent, entry.citations.length]);
    if (now === this.#shown) return;
    this.#shown = now;
    this.#showSources();
    this.#showFoot();
  }

  /** Gives the numbers in the text their names; one without a source becomes text again at the end. */
  #numbers(final: boolean): void {
    for (const button of this.#body.querySelectorAll<HTMLElement>('.cite:not([aria-label])')) {
      const source = this.entry.citations.find((c) => String(c.n) === button.dataset.n);
      if (source) button.setAttribute('aria-label', this.#say('source', { n: source.n, title: source.title }));
      else if (final) button.replaceWith(`[${button.dataset.n ?? ''}]`);
    }
    for (const button of this.#body.querySelectorAll('.copy:empty')) {
      button.append(navigator.clipboard as Clipboard | undefined ? this.#say('copy') : '\u200b');
    }
    for (const table of this.#body.querySelectorAll('.table:not([aria-label])')) table.setAttribute('aria-label', this.#say('table'));
  }

  #showSources(): void {
    const { citations } = this.entry;
    if (citations.length === 0 || !over.has(this.entry.status)) return this.#sources.replaceChildren();
    const list = el('ol');
    for (const { n, title, url, heading, quote } of citations) {
      const safe = safeUrl(url);
      const name = title || url || `${n}`;
      const item = el('li', { value: String(n), tabindex: '-1', dir: 'auto' });
      item.append(safe ? el('a', { href: safe.href, target: '_blank', rel: 'noopener nofollow' }, name) : el('b', {}, name));
      if (heading && heading !== title) item.append(el('span', {}, heading));
      if (quote) item.append(el('q', {}, quote));
      list.append(item);
    }
    this.#sources.replaceChildren(el('details', { class: 'sources', part: 'sources' }, el('summary', {}, this.#say('sources', { n: citations.length })), list));
  }

  #showFoot(): void {
    const { status, failure, role } = this.entry;
    const say = this.#say;
    const kids: Node[] = [];
    const text = (words: string, cls = ''): number => kids.push(el('span', { class: cls }, words));
    if (status === 'queued') text(say('queued'));
    else if (status === 'stopped') text(say('stopped'));
    else if (status === 'interrupted') text(say('interrupted'), 'bad');
    else if (status === 'failed') {
      const later = failure?.retryAfter;
      text(later ? say('tooMany', { n: Math.ceil(later) }) : role === 'user' ? `${say('unsent')}. ${failure?.message ?? ''}` : say('broken'), 'bad');
      if (failure?.retryable) kids.push(el('button', { type: 'button', class: 'retry' }, say('retry')));
    }
    if (role === 'assistant' && status !== 'streaming' && this.entry.messageId && this.entry.text) {
      kids.push(this.#thumb('up', say('helpful')), this.#thumb('down', say('unhelpful')));
    }
    this.#foot.replaceChildren(...kids);
  }

  #thumb(rating: Rating, name: string): HTMLElement {
    const pressed = String(this.entry.rating === rating);
    return el('button', { type: 'button', class: 'thumb', 'data-rate': rating, 'aria-pressed': pressed, 'aria-label': name, title: name }, icon(paths[rating], 16));
  }

  #click(event: Event): void {
    const button = (event.target as Element).closest<HTMLElement>('button');
    if (!button) return;
    if (button.matches('.cite')) this.#openSource(button.dataset.n ?? '');
    else if (button.matches('.retry')) this.#actions.retry(this.entry);
    else if (button.matches('.copy')) void this.#copy(button);
    else if (button.dataset.rate) {
      const rating = button.dataset.rate as Rating;
      this.#actions.rate(this.entry, this.entry.rating === rating ? undefined : rating);
      this.#foot.querySelector<HTMLElement>(`[data-rate=${rating}]`)?.focus();
    }
  }

  #openSource(n: string): void {
    const details = this.#sources.querySelector('details');
    if (!details) return;
    details.open = true;
    const item = details.querySelector<HTMLElement>(`li[value="${n}"]`);
    item?.scrollIntoView({ block: 'nearest' });
    item?.focus({ preventScroll: true });
  }

  async #copy(button: HTMLElement): Promise<void> {
    const text = button.closest('.code')?.querySelector('code')?.textContent ?? '';
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = this.#say('copied');
    } catch {
      // the page's policy forbids it: the text can still be selected
    }
  }
}
