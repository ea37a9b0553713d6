/** One message on the screen. */
import type { Rating } from '../../../../protocol/wire.ts';
import { icon } from '../../icons.ts';
import type { Entry } from '../entry.ts';
import type { Rich } from '../rich.ts';
import type { Say } from '../words.ts';
import { el } from './element.ts';
import { paths } from './paths.ts';

export interface MessageActions {
  retry(entry: Entry): void;
  rate(entry: Entry, rating: Rating | undefined): void;
}

export type MakeRich = new (body: HTMLElement, sources: HTMLElement, say: Say) => Rich;

export class MessageView {
  readonly root: HTMLElement;
  readonly entry: Entry;
  readonly #say: Say;
  readonly #author = el('span', { class: 'sr' });
  readonly #bubble: HTMLElement;
  readonly #body = el('div', { dir: 'auto' });
  readonly #waitText = el('span');
  readonly #wait = el('div', { class: 'wait' }, el('i'), el('i'), el('i'), this.#waitText);
  readonly #note = el('p', { class: 'note' });
  readonly #sources = el('div');
  readonly #foot = el('div', { class: 'foot' });
  #rich: Rich | undefined;
  #shown = '';

  constructor(entry: Entry, say: Say, actions: MessageActions) {
    this.entry = entry;
    this.#say = say;
    const side = entry.role === 'user' ? 'user' : entry.role === 'system' ? 'system' : 'bot';
    this.#bubble = el('div', { class: 'bubble', part: `bubble-${side}` }, this.#author, this.#body, this.#wait);
    this.root = el(
      'div',
      { class: `msg ${side}`, part: 'message' },
      this.#bubble,
      this.#note,
      this.#sources,
      this.#foot,
    );
    this.#foot.onclick = (event) => this.#pressed(event, actions);
  }

  /** Brings the entry's present text to the screen; plainly, until `Make` is there. `botName` is who answers. */
  update(botName: string, Make: MakeRich | undefined): void {
    const { entry } = this;
    const { role, text, status, agent, note, citations, failure, rating } = entry;
    const say = this.#say;
    const streaming = status === 'streaming';
    this.#author.textContent =
      role === 'user' ? `${say('you')}: ` : role === 'system' ? '' : `${agent?.name ?? botName}: `;
    if (Make && role === 'assistant') this.#rich ??= new Make(this.#body, this.#sources, say);
    if (this.#rich) this.#rich.show(text, citations, !streaming);
    else if (this.#body.textContent !== text) this.#body.textContent = text;
    this.#wait.hidden = !streaming || text !== '';
    this.#waitText.textContent = say('searching');
    this.#bubble.hidden = !text && this.#wait.hidden;
    this.#note.textContent = note;
    this.#note.hidden = !note;
    // Nothing below changes while words come.
    const now = JSON.stringify([status, failure, rating, agent, !text]);
    if (now !== this.#shown) this.#showFoot();
    this.#shown = now;
  }

  #showFoot(): void {
    const { status, failure, role, messageId, text } = this.entry;
    const say = this.#say;
    const kids: Node[] = [];
    const tell = (words: string, kind = ''): number => kids.push(el('span', { class: kind }, words));
    if (status === 'queued') tell(say('queued'));
    else if (status === 'stopped') tell(say('stopped'));
    else if (status === 'interrupted') tell(say('interrupted'), 'bad');
    else if (status === 'failed') {
      const later = failure?.retryAfter;
      tell(
        later
          ? say('tooMany', { n: Math.ceil(later) })
          : role === 'user'
            ? say('unsent') // why, in words of programs, is in the console and in the event
            : say('broken'),
        'bad',
      );
      if (failure?.retryable) kids.push(el('button', { type: 'button', class: 'retry' }, say('retry')));
    }
    if (role === 'assistant' && (status === 'complete' || status === 'stopped') && messageId && text) {
      kids.push(this.#thumb('up', say('helpful')), this.#thumb('down', say('unhelpful')));
    }
    this.#foot.replaceChildren(...kids);
  }

  #thumb(rating: Rating, name: string): HTMLElement {
    const pressed = String(this.entry.rating === rating);
    const attributes = {
      type: 'button',
      class: 'thumb',
      'data-rate': rating,
      'aria-pressed': pressed,
      'aria-label': name,
      title: name,
    };
    return el('button', attributes, icon(paths.thumb));
  }

  #pressed(event: Event, actions: MessageActions): void {
    const button = (event.target as Element).closest<HTMLElement>('button');
    if (!button) return;
    const rating = button.dataset.rate as Rating | undefined;
    if (!rating) return actions.retry(this.entry);
    actions.rate(this.entry, this.entry.rating === rating ? undefined : rating);
    this.#foot.querySelector<HTMLElement>(`[data-rate=${rating}]`)?.focus();
  }
}
