/**
 * The inside of a paragraph: emphasis, code, links, numbers of sources. Linear in the length of the text, whatever it is.
 *
 * `open` means that more text may follow: what is begun is shown as if it ended here, and marks that may yet become
 * something are left out, so that an answer does not flicker while it streams. The last call, with `open` false, decides.
 */
import { branch, textOf, type Branch, type Tree } from './node.ts';
import { disguise, safeUrl } from './url.ts';

const DEPTH = 12; // of emphasis within emphasis
const LOOK_BACK = 16; // marks tried for a closing one
const PARENS = 32; // within a link's address, as CommonMark has it

interface Mark {
  mark: string; // * _ ~ [ or ![
  count: number;
  opens: boolean;
  closes: boolean;
  /** Depth of what it would enclose so far. */
  depth: number;
}

type Piece = Tree | Mark;

const isMark = (piece: Piece | undefined): piece is Mark => typeof piece === 'object' && 'mark' in piece;
const punctuation = /[\p{P}\p{S}]/u;
const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

/** `&amp;` and the like as the characters they stand for. */
export function unentity(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:(amp|lt|gt|quot|apos|nbsp)|#(\d{1,7})|#x([\da-f]{1,6}));/gi,
    (whole, name?: string, decimal?: string, hex?: string) => {
      if (name) return entities[name.toLowerCase()] ?? whole;
      const code = decimal ? Number(decimal) : parseInt(hex ?? '', 16);
      return code > 0 && code < 0x110000 && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : '\ufffd';
    },
  );
}

const unescape = (text: string): string => unentity(text.replace(/\\([!-/:-@[-`{-~])/g, '$1'));

export function inline(source: string, open = false): Tree[] {
  return new Inline(source, open).parse();
}

class Inline {
  readonly #text: string;
  readonly #open: boolean;
  #at = 0;
  #out: Piece[] = [];
  /** Places in `out` of the brackets that are open. */
  readonly #brackets: number[] = [];
  /** Places of backtick runs by length, each list in order. */
  #ticks: Map<number, { next: number; places: number[] }> | undefined;

  constructor(text: string, open: boolean) {
    this.#text = text;
    this.#open = open;
  }

  parse(): Tree[] {
    const text = this.#text;
    const special = /[\\`*_~[\]!<&\n]|https?:\/\//gi;
    while (this.#at < text.length) {
      special.lastIndex = this.#at;
      const found = special.exec(text);
      const stop = found ? found.index : text.length;
      if (stop > this.#at) this.#push(text.slice(this.#at, stop));
      this.#at = stop;
      if (found) this.#special(found[0]);
    }
    return this.#finish(this.#out.splice(0), this.#open);
  }

  #push(piece: Piece): void {
    const last = this.#out.length - 1;
    const before = this.#out[last];
    if (typeof piece === 'string' && typeof before === 'string') this.#out[last] = before + piece;
    else this.#out.push(piece);
  }

  /** Takes `length` characters as what they are. */
  #plain(length: number): void {
    this.#push(this.#text.slice(this.#at, this.#at + length));
    this.#at += length;
  }

  #special(c: string): void {
    switch (c) {
      case '\\':
        return this.#escape();
      case '`':
        return this.#code();
      case '*':
      case '_':
      case '~':
        return this.#run(c);
      case '!':
        if (this.#text[this.#at + 1] !== '[') return this.#plain(1);
        return this.#bracket('![');
      case '[':
        return this.#bracket('[');
      case ']':
        return this.#close();
      case '<':
        return this.#angle();
      case '&':
        return this.#entity();
      case '\n':
        return this.#newline();
      default:
        return this.#bare();
    }
  }

  #escape(): void {
    const next = this.#text[this.#at + 1];
    if (next === '\n') {
      this.#push(branch('br', []));
      this.#at += 2;
    } else if (next && /[!-/:-@[-`{-~]/.test(next)) {
      this.#push(next);
      this.#at += 2;
    } else if (next === undefined && this.#open) this.#at++;
    else this.#plain(1);
  }

  #entity(): void {
    const whole = /^&(?:\w{2,5}|#\w{1,8});/.exec(this.#text.slice(this.#at, this.#at + 12))?.[0];
    if (!whole) return this.#plain(1);
    this.#push(unentity(whole));
    this.#at += whole.length;
  }

  #newline(): void {
    const last = this.#out.length - 1;
    const before = this.#out[last];
    const hard = typeof before === 'string' && before.endsWith('  ');
    if (typeof before === 'string') this.#out[last] = before.replace(/ {1,1000}$/, '');
    this.#push(hard ? branch('br', []) : '\n');
    this.#at++;
    while (this.#text[this.#at] === ' ') this.#at++;
  }

  #runLength(from: number, c: string): number {
    let end = from;
    while (this.#text[end] === c) end++;
    return end - from;
  }

  #code(): void {
    const length = this.#runLength(this.#at, '`');
    const start = this.#at + length;
    const close = this.#tick(length, start);
    if (close === undefined && !(this.#open && start < this.#text.length)) {
      if (this.#open) this.#at = start;
      else this.#plain(length);
      return;
    }
    const end = close ?? this.#text.length;
    let code = this.#text.slice(start, end).replace(/\n/g, ' ');
    if (/^ .* $/.test(code) && code.trim()) code = code.slice(1, -1);
    this.#push(branch('code', [code]));
    this.#at = close === undefined ? end : end + length;
  }

  /** The next run of so many backticks at or after a place. */
  #tick(length: number, from: number): number | undefined {
    if (!this.#ticks) {
      this.#ticks = new Map();
      for (const { 0: run, index } of this.#text.matchAll(/`+/g)) {
        const runs = this.#ticks.get(run.length);
        if (runs) runs.places.push(index);
        else this.#ticks.set(run.length, { next: 0, places: [index] });
      }
    }
    const runs = this.#ticks.get(length);
    if (!runs) return undefined;
    while ((runs.places[runs.next] ?? from) < from) runs.next++;
    return runs.places[runs.next];
  }

  /** A run of * _ or ~, by the flanking rules of CommonMark. */
  #run(c: string): void {
    const count = this.#runLength(this.#at, c);
    if (this.#open && this.#at + count === this.#text.length) {
      this.#at += count; // half of a mark, or one with nothing after it yet
      return;
    }
    const before = this.#text[this.#at - 1] ?? ' ';
    const after = this.#text[this.#at + count] ?? ' ';
    const [spaceBefore, spaceAfter] = [/\s/.test(before), /\s/.test(after)];
    const [markBefore, markAfter] = [punctuation.test(before), punctuation.test(after)];
    const left = !spaceAfter && (!markAfter || spaceBefore || markBefore);
    const right = !spaceBefore && (!markBefore || spaceAfter || markAfter);
    const word = c === '_';
    const opens = left && (!word || !right || markBefore);
    const closes = right && (!word || !left || markAfter);
    if ((!opens && !closes) || (c === '~' && count !== 2)) return this.#plain(count);
    this.#out.push({ mark: c, count, opens, closes, depth: 0 });
    this.#at += count;
  }

  #bracket(mark: string): void {
    this.#brackets.push(this.#out.length);
    this.#out.push({ mark, count: 1, opens: false, closes: false, depth: 0 });
    this.#at += mark.length;
  }

  #close(): void {
    const place = this.#brackets.pop();
    if (place === undefined) return this.#plain(1);
    const opener = this.#out[place] as Mark;
    const target = this.#text[this.#at + 1] === '(' ? this.#target(this.#at + 2) : undefined;
    if (target) {
      const kids = this.#finish(this.#out.splice(place).slice(1), false);
      this.#at = target.end;
      for (const piece of link(kids, target.address, opener.mark === '![')) this.#push(piece);
      return;
    }
    const inside = this.#out.slice(place + 1, place + 3);
    const numbers =
      inside.length === 1 && typeof inside[0] === 'string' && /^\d{1,3}(?:, ?\d{1,3}){0,9}$/.exec(inside[0])?.[0];
    if (numbers && opener.mark === '[') {
      this.#out.length = place;
      for (const n of numbers.split(/, ?/)) this.#out.push(cite(n));
      this.#at++;
      return;
    }
    this.#out[place] = opener.mark;
    this.#plain(1);
  }

  /** The address after `](`, or undefined where there is none. In open text an unfinished one counts, and links nowhere. */
  #target(from: number): { address: string; end: number } | undefined {
    const text = this.#text;
    let i = from;
    while (text[i] === ' ') i++;
    let address: string;
    if (text[i] === '<') {
      const end = /^<([^<>\n]{0,2000})>/.exec(text.slice(i, i + 2002));
      if (!end) return undefined;
      address = end[1] ?? '';
      i += end[0].length;
    } else {
      const start = i;
      for (let depth = 0; i < text.length; i++) {
        const c = text[i] as string;
        if (c === '\\') i++;
        else if (c <= ' ' || (c === ')' && depth-- === 0)) break;
        else if (c === '(' && ++depth > PARENS) return undefined;
      }
      address = text.slice(start, i);
    }
    const title = /^\s{1,9}(?:"(?:\\.|[^"\\]){0,500}"|'(?:\\.|[^'\\]){0,500}'|\((?:\\.|[^()\\]){0,500}\))/.exec(
      text.slice(i, i + 520),
    );
    if (title) i += title[0].length;
    while (text[i] === ' ') i++;
    if (text[i] === ')') return { address: unescape(address), end: i + 1 };
    return this.#open && i >= text.length ? { address: '', end: text.length } : undefined;
  }

  #angle(): void {
    const ahead = this.#text.slice(this.#at, this.#at + 2000);
    const lineBreak = /^<br ?\/?>/i.exec(ahead);
    if (lineBreak) {
      this.#push(branch('br', []));
      this.#at += lineBreak[0].length;
      return;
    }
    const found = /^<([a-z][a-z0-9+.-]{1,31}:[^\s<>]*|[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[a-z0-9.-]{1,255})>/i.exec(ahead);
    const address = found?.[1];
    if (!found || !address) return this.#plain(1);
    const url = safeUrl(/^[^:]+@/.test(address) ? `mailto:${address}` : address);
    if (!url) return this.#plain(found[0].length);
    this.#push(anchor([address], url.href));
    this.#at += found[0].length;
  }

  /** An address without marks around it. Closing punctuation belongs to the sentence. */
  #bare(): void {
    const before = this.#text[this.#at - 1];
    const found = /^https?:\/\/[^\s<>"`[\]]{1,2000}/i.exec(this.#text.slice(this.#at, this.#at + 2010));
    if (!found || (before && /[\p{L}\p{N}]/u.test(before))) return this.#plain(4);
    let address = found[0].replace(/[?!.,:;*_~'"]{1,9}$/, '');
    while (address.endsWith(')') && count(address, ')') > count(address, '(')) address = address.slice(0, -1);
    const url = safeUrl(address);
    if (!url) return this.#plain(4);
    this.#push(anchor([address], url.href));
    const hidden = disguise(address, url);
    if (hidden) this.#push(` (${hidden})`);
    this.#at += address.length;
  }

  /** Turns marks into emphasis, and what is left of them into text. */
  #finish(pieces: Piece[], open: boolean): Tree[] {
    const out: Piece[] = [];
    const stack: number[] = [];
    for (const piece of pieces) {
      if (isMark(piece) && piece.closes) pairUp(piece, out, stack);
      if (isMark(piece) && piece.opens && piece.count > 0) stack.push(out.length);
      if (!isMark(piece) || piece.count > 0) out.push(piece);
    }
    if (open) closeAll(out, stack);
    return settle(out, open);
  }
}

/** Wraps what lies between a closing mark and the openers that fit it, innermost first. */
function pairUp(closer: Mark, out: Piece[], stack: number[]): void {
  let tries = 0;
  for (let s = stack.length - 1; s >= 0 && closer.count > 0 && tries < LOOK_BACK;) {
    const place = stack[s] as number;
    const opener = out[place] as Mark;
    const both =
      (opener.closes || closer.opens) &&
      (opener.count + closer.count) % 3 === 0 &&
      (opener.count % 3 !== 0 || closer.count % 3 !== 0);
    if (opener.mark !== closer.mark || both) {
      s--;
      tries++;
      continue;
    }
    stack.length = s + 1;
    const use = opener.count > 1 && closer.count > 1 ? 2 : 1;
    if (opener.depth >= DEPTH) {
      stack.pop(); // too deep to mean anything: the marks stay as they are
      deepen(out, stack.at(-1), opener.depth);
      return;
    }
    wrap(opener, place, use, out);
    closer.count -= use;
    if (opener.count === 0) stack.pop();
    deepen(out, stack.at(-1), opener.depth + 1);
    s = stack.length - 1;
  }
}

function deepen(out: Piece[], place: number | undefined, depth: number): void {
  const outer = place === undefined ? undefined : out[place];
  if (isMark(outer)) outer.depth = Math.max(outer.depth, depth);
}

function wrap(opener: Mark, place: number, use: number, out: Piece[]): void {
  const tag = opener.mark === '~' ? 'del' : use === 2 ? 'strong' : 'em';
  const kids = settle(out.splice(place + 1), false);
  opener.count -= use;
  if (opener.count === 0) out.length = place;
  out.push(branch(tag, kids));
}

/** Open text: what was begun is shown as if it ended here. */
function closeAll(out: Piece[], stack: number[]): void {
  for (const place of stack.slice(-4).reverse()) {
    const opener = out[place];
    if (!isMark(opener) || opener.count > 3 || opener.depth >= DEPTH || place === out.length - 1) continue;
    while (opener.count > 0) wrap(opener, place, opener.count > 1 ? 2 : 1, out);
  }
}

/** Marks that found no partner are text; neighbouring texts are one. */
function settle(pieces: Piece[], open: boolean): Tree[] {
  const trees: Tree[] = [];
  pieces.forEach((piece, i) => {
    let tree: Piece = piece;
    if (isMark(tree)) {
      const bracket = tree.mark === '[' || tree.mark === '![';
      const half = open && bracket && i >= pieces.length - 4; // perhaps a link's text
      tree = half ? '' : tree.mark.repeat(tree.count);
    }
    const last = trees.length - 1;
    if (typeof tree === 'string' && typeof trees[last] === 'string') trees[last] += tree;
    else if (tree !== '') trees.push(tree);
  });
  return trees;
}

const count = (text: string, c: string): number => text.split(c).length - 1;

const anchor = (kids: Tree[], href: string): Branch =>
  branch('a', kids, { href, target: '_blank', rel: 'noopener nofollow' });

const cite = (n: string): Branch =>
  branch('button', [String(Number(n))], {
    class: 'cite',
    part: 'citation',
    type: 'button',
    'data-n': String(Number(n)),
  });

/** A link, or its text alone where it may not go there. An image is a link to itself: nothing is loaded by itself. */
function link(kids: Tree[], address: string, image: boolean): Tree[] {
  const url = safeUrl(address);
  const bare = kids.flatMap((kid) => (typeof kid !== 'string' && kid.tag === 'a' ? kid.kids : [kid]));
  if (!url) return bare;
  const text = bare.map(textOf).join('');
  const shown = text.trim() ? bare : [image ? url.href : address];
  const hidden = disguise(text, url);
  return hidden ? [anchor(shown, url.href), ` (${hidden})`] : [anchor(shown, url.href)];
}
