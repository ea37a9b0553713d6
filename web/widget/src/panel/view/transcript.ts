/** The list of messages: kept at its end while the reader is there, left alone where he has scrolled up. */
import { icon } from '../../icons.ts';
import type { Announcer } from '../announce.ts';
import type { Entry } from '../entry.ts';
import type { Say } from '../words.ts';
import { el } from './element.ts';
import { MessageView, type MakeRich, type MessageActions } from './message.ts';
import { paths } from './paths.ts';

export interface TranscriptActions extends MessageActions {
  ask(text: string): void;
}

/** Marks that are worth loading Markdown for. */
const marked = /[*_`[#>|~]|^(?:-|\d+\.) /m;

const NEAR = 48; // pixels from the end that still count as there
const FRAME = 40; // milliseconds between two updates of a growing answer

export class Transcript {
  readonly root: HTMLElement;
  readonly #list = el('div', { class: 'list' });
  readonly #welcome = el('div', { class: 'msg bot' });
  readonly #suggestions = el('div', { class: 'suggestions', role: 'group' });
  readonly #latest: HTMLButtonElement;
  readonly #views = new Map<string, MessageView>();
  readonly #dirty = new Set<MessageView>();
  readonly #actions: TranscriptActions;
  readonly #announcer: Announcer;
  #say: Say;
  #rich: MakeRich | undefined;
  #loading = false;
  #botName = '';
  #dressed: () => void = () => undefined;
  #frame = 0;
  #timer = 0;
  #last = 0;
  #cost = 0;
  #stick = true;

  constructor(say: Say, actions: TranscriptActions, announcer: Announcer) {
    this.#say = say;
    this.#actions = actions;
    this.#announcer = announcer;
    this.#latest = el('button', { type: 'button', class: 'latest', hidden: '' }, icon(paths.latest));
    this.#latest.onclick = () => this.toEnd();
    this.#list.append(this.#welcome, this.#suggestions);
    this.root = el(
      'div',
      { class: 'log', part: 'messages', role: 'log', 'aria-live': 'off', tabindex: '0' },
      this.#list,
      this.#latest,
    );
    this.root.addEventListener('scroll', () => this.#scrolled(), { passive: true });
  }

  /** Welcome, suggestions, names. */
  dress(say: Say, botName: string, welcome: string, questions: readonly string[]): void {
    this.#say = say;
    this.#botName = botName;
    this.root.setAttribute('aria-label', say('conversation'));
    this.#latest.setAttribute('aria-label', say('latest'));
    this.#suggestions.setAttribute('aria-label', say('suggestions'));
    this.#welcome.hidden = !welcome;
    const body = el('div', { dir: 'auto' }, welcome);
    this.#welcome.replaceChildren(el('div', { class: 'bubble', part: 'bubble-bot welcome' }, body));
    if (this.#rich) new this.#rich(body, el('div'), say).show(welcome, [], true);
    else if (marked.test(welcome)) this.enrich();
    this.#dressed = () => this.dress(say, botName, welcome, questions);
    this.#suggestions.replaceChildren(
      ...questions.map((question) => {
        const button = el('button', { type: 'button', part: 'suggestion', dir: 'auto' }, question);
        button.onclick = () => this.#actions.ask(question);
        return button;
      }),
    );
  }

  /** Loads what shows answers as they should look; until then, and if it cannot be had, they are plain text. */
  enrich(): void {
    if (this.#rich || this.#loading) return;
    this.#loading = true;
    import('../rich.ts').then(
      ({ Rich }) => {
        this.#rich = Rich;
        this.#dressed();
        for (const view of this.#views.values()) this.#update(view);
        this.#follow();
      },
      () => (this.#loading = false),
    );
  }

  reset(entries: readonly Entry[]): void {
    if (entries.length === 0) this.#announcer.clear();
    const had = this.#views.size;
    for (const view of this.#views.values()) view.root.remove();
    const before = new Map(this.#views);
    this.#views.clear();
    this.#dirty.clear();
    for (const entry of entries) {
      const view = before.get(entry.key) ?? this.#make(entry);
      this.#views.set(entry.key, view);
      this.#list.append(view.root);
      this.#update(view);
    }
    this.#empty();
    if (this.#stick || had === 0) this.toEnd();
  }

  /** An entry is new or changed; growing text is shown at a pace the page can keep. */
  entry(entry: Entry): void {
    let view = this.#views.get(entry.key);
    if (!view) {
      view = this.#make(entry);
      this.#views.set(entry.key, view);
      this.#list.append(view.root);
      if (entry.role === 'user') this.#stick = true;
      this.#empty();
      this.#draw(view);
      this.#follow();
      return;
    }
    this.#dirty.add(view);
    if (entry.status !== 'streaming') this.#flush();
    else this.#schedule();
  }

  removed(entry: Entry): void {
    const view = this.#views.get(entry.key);
    view?.root.remove();
    this.#views.delete(entry.key);
    if (view) this.#dirty.delete(view);
    this.#empty();
  }

  toEnd(): void {
    this.#stick = true;
    this.#follow();
  }

  destroy(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#dirty.clear();
  }

  #make(entry: Entry): MessageView {
    return new MessageView(entry, this.#say, this.#actions);
  }

  #empty(): void {
    this.#suggestions.hidden = this.#views.size > 0 || this.#suggestions.childElementCount === 0;
  }

  #schedule(): void {
    if (this.#frame || this.#timer) return;
    // A huge answer costs more to show: then it is shown less often, so that the page stays quick.
    const wait = Math.max(0, this.#last + Math.max(FRAME, Math.min(1000, this.#cost * 8)) - performance.now());
    const draw = (): void => {
      this.#frame = this.#timer = 0;
      this.#flush();
    };
    if (document.hidden) this.#timer = window.setTimeout(draw, 250);
    else if (wait > 16)
      this.#timer = window.setTimeout(() => ((this.#timer = 0), (this.#frame = requestAnimationFrame(draw))), wait - 8);
    else this.#frame = requestAnimationFrame(draw);
  }

  #flush(): void {
    const start = performance.now();
    for (const view of this.#dirty) this.#draw(view);
    this.#dirty.clear();
    this.#follow();
    this.#last = performance.now();
    this.#cost = this.#last - start;
  }

  #draw(view: MessageView): void {
    this.#update(view);
    const { role, key, text, status } = view.entry;
    if (role === 'assistant') this.#announcer.follow(key, text, status !== 'streaming', performance.now());
    else if (role === 'agent') this.#announcer.say(`${view.entry.agent?.name ?? this.#botName}: ${text}`);
  }

  #update(view: MessageView): void {
    if (view.entry.role === 'assistant') this.enrich();
    view.update(this.#botName, this.#rich);
  }

  #follow(): void {
    if (this.#stick) this.root.scrollTop = this.root.scrollHeight;
    else this.#latest.hidden = false;
  }

  #scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.root;
    this.#stick = scrollHeight - scrollTop - clientHeight < NEAR;
    if (this.#stick) this.#latest.hidden = true;
  }
}
