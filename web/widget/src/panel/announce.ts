/** What a screen reader is told of an answer while it streams: whole sentences, in plain words. */

/** The text up to the last end of a sentence after `from`, or to the end where it is final. */
export function sentences(text: string, from: number, final: boolean): { say: string; upTo: number } {
  let upTo = from;
  if (final) upTo = text.length;
  else {
    const end = /[.!?…:](?=["'’”)\]*_]*\s)["'’”)\]*_]*|[。！？]|\n/g;
    end.lastIndex = from;
    for (let found = end.exec(text); found; found = end.exec(text)) upTo = found.index + found[0].length;
    // A block of code is told when it is closed.
    const fences = text.slice(0, upTo).split('```').length - 1;
    if (fences % 2 === 1) upTo = Math.max(from, text.lastIndexOf('```', upTo - 1));
  }
  return { say: plain(text.slice(from, upTo)), upTo };
}

/** Markdown without its marks. */
export function plain(markdown: string): string {
  return markdown
    .replace(/!?\[([^\]]{0,500})\]\([^)]{0,2000}\)/g, '$1')
    .replace(/\[\d{1,3}(?:, ?\d{1,3}){0,9}\]/g, '')
    .replace(/^ {0,9}(?:#{1,6} |> ?|[-*+] )|```\w*|^\|?[-:| ]+\|[-:| ]*$/gm, '')
    .replace(/[*_`~|]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

const PACE = 1500;

export class Announcer {
  readonly #region: () => HTMLElement | undefined;
  #key = '';
  #at = 0;
  #last = -Infinity;

  constructor(region: () => HTMLElement | undefined) {
    this.#region = region;
  }

  /** Follows one answer; `now` is monotonic milliseconds. */
  follow(key: string, text: string, final: boolean, now: number): void {
    if (key !== this.#key) {
      if (final) return; // an old one that was rated, or restored
      [this.#key, this.#at, this.#last] = [key, 0, -Infinity];
    }
    if (text.length < this.#at) this.#at = 0; // the answer was replaced
    if (!final && now - this.#last < PACE) return;
    const { say, upTo } = sentences(text, this.#at, final);
    if (upTo === this.#at) return;
    [this.#at, this.#last] = [upTo, now];
    this.say(say);
  }

  /** What was told of another visitor is not left for the next one to find. */
  clear(): void {
    this.#region()?.replaceChildren();
  }

  say(text: string): void {
    if (!text) return;
    const line = document.createElement('p');
    line.textContent = text;
    const region = this.#region();
    region?.append(line);
    while (region && region.childElementCount > 8) region.firstElementChild?.remove();
  }
}
