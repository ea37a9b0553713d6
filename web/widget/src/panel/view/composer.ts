/** Where the visitor writes. Enter sends, Shift+Enter breaks the line; an input method's Enter is its own. */
import { icon } from '../../icons.ts';
import type { Manners } from '../machine.ts';
import { LIMIT } from '../session.ts';
import type { Say } from '../words.ts';
import { attribute, el } from './element.ts';
import { paths } from './paths.ts';

export interface ComposerActions {
  send(text: string): void;
  stop(): void;
  draft(text: string): void;
}

export class Composer {
  readonly root: HTMLFormElement;
  readonly input: HTMLTextAreaElement;
  readonly #button: HTMLButtonElement;
  readonly #over = el('span', { class: 'over', role: 'status' });
  readonly #actions: ComposerActions;
  #manners: Manners = { type: true, send: true, stop: false };
  #say: Say;

  constructor(say: Say, actions: ComposerActions) {
    this.#say = say;
    this.#actions = actions;
    this.input = el('textarea', { part: 'input', rows: '1', dir: 'auto', enterkeyhint: 'send', autocomplete: 'off' });
    this.#button = el('button', { type: 'submit', part: 'send' });
    this.root = el('form', { part: 'composer', class: 'composer' }, this.input, this.#over, this.#button);
    this.input.oninput = () => this.#typed();
    this.input.onkeydown = (event) => {
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- Safari ends a composition before its Enter; 229 tells
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#submit();
    };
    this.root.onsubmit = (event) => {
      event.preventDefault();
      if (this.#manners.stop) this.#actions.stop();
      else this.#submit();
    };
    this.#draw();
  }

  dress(say: Say, placeholder: string): void {
    this.#say = say;
    this.input.placeholder = placeholder;
    this.input.setAttribute('aria-label', say('message'));
    this.#draw();
  }

  allow(manners: Manners): void {
    this.#manners = manners;
    this.input.disabled = !manners.type;
    this.#draw();
  }

  /** Puts a draft into the input, unless the visitor has begun to write. */
  fill(text: string, force: boolean): void {
    if (this.input.value && !force) return;
    this.input.value = text;
    this.#typed();
  }

  get #excess(): number {
    return [...this.input.value.trim()].length - LIMIT;
  }

  #typed(): void {
    const { style } = this.input;
    style.setProperty('height', 'auto');
    if (this.input.scrollHeight) style.setProperty('height', `${Math.min(this.input.scrollHeight, 140)}px`);
    this.#actions.draft(this.input.value);
    this.#draw();
  }

  #submit(): void {
    const text = this.input.value.trim();
    if (!text || !this.#manners.send || this.#excess > 0) return;
    this.input.value = '';
    this.#typed();
    this.#actions.send(text);
  }

  #draw(): void {
    const { stop, send } = this.#manners;
    const excess = this.input.value.length > LIMIT ? this.#excess : 0;
    this.#over.textContent = excess > 0 ? this.#say('tooLong', { n: excess }) : '';
    const ready = stop || (send && this.input.value.trim() !== '' && excess <= 0);
    const name = this.#say(stop ? 'stop' : 'send');
    if (this.#button.title !== name) {
      this.#button.replaceChildren(icon(stop ? paths.stop : paths.send));
      this.#button.title = name;
      this.#button.setAttribute('aria-label', name);
    }
    // Not `disabled`: a button that loses the focus when it is pressed loses the keyboard's place.
    attribute(this.#button, 'aria-disabled', ready ? undefined : 'true');
  }
}
