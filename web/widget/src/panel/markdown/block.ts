/**
 * The blocks of an answer: paragraphs, headings, lists, quotes, code, tables. Each ends in a tree that `patch` can show.
 * What is not here (HTML blocks, reference definitions, indented code) is a paragraph.
 */
import { inline } from './inline.ts';
import { branch, type Tree } from './node.ts';

const DEPTH = 8; // of quotes and lists within each other
const COLUMNS = 60;

export interface Block {
  tree: Tree;
  /** Index of the line that it begins at. */
  line: number;
}

const blank = (line: string | undefined): boolean => line === undefined || /^[ \t]*$/.test(line);
const fence = /^ {0,3}(`{3,}|~{3,})(.*)$/;
const quote = /^ {0,3}> ?/;
const rule = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const heading = /^ {0,3}(#{1,6})(?=[ \t]|$)/;
const bullet = /^( *)([-*+]|\d{1,9}[.)])(?: +|$)/;
/** A line that may yet become a mark of a block. */
const half = /^[ >]*(?:[-*+_=]{1,9}|\d{1,9}[.)]?|#{1,6}|[`~]{1,2})[ \t]*$/;

export function blocks(lines: readonly string[], open = false, depth = 0): Block[] {
  return new Blocks(lines, open, depth).parse();
}

class Blocks {
  readonly #lines: readonly string[];
  readonly #open: boolean;
  readonly #depth: number;
  readonly #out: Block[] = [];
  #at = 0;

  constructor(lines: readonly string[], open: boolean, depth: number) {
    this.#lines = lines;
    this.#open = open;
    this.#depth = depth;
  }

  parse(): Block[] {
    while (this.#at < this.#lines.length) {
      const line = this.#line(this.#at);
      const start = this.#at;
      if (blank(line)) {
        this.#at++;
        continue;
      }
      const trees = this.#block(line);
      for (const tree of trees) this.#out.push({ tree, line: start });
    }
    return this.#out;
  }

  #line(i: number): string {
    return this.#lines[i] ?? '';
  }

  #block(line: string): Tree[] {
    const fenced = fence.exec(line);
    if (fenced && !(fenced[1]?.startsWith('`') && fenced[2]?.includes('`')))
      return this.#code(fenced[1] ?? '', fenced[2] ?? '');
    if (heading.test(line) && !this.#undecided(line)) return this.#heading(line);
    if (rule.test(line) && !(this.#last() && this.#open && line.length < 4)) {
      this.#at++;
      return [branch('hr', [])];
    }
    if (this.#depth < DEPTH) {
      if (quote.test(line)) return this.#quote();
      const item = bullet.exec(line);
      if (item && (item[1]?.length ?? 0) < 4 && !this.#undecided(line)) return [this.#list(item[2] ?? '')];
    }
    const columns = this.#table(this.#at);
    return columns ? [this.#rows(columns)] : this.#paragraph();
  }

  /** The line that more text may change. */
  #last(): boolean {
    return this.#at === this.#lines.length - 1;
  }

  #undecided(line: string): boolean {
    return this.#open && this.#last() && half.test(line);
  }

  #code(mark: string, info: string): Tree[] {
    const indent = /^ */.exec(this.#line(this.#at))?.[0].length ?? 0;
    const end = new RegExp(`^ {0,3}${mark[0]}{${mark.length},}[ \\t]*$`);
    const body: string[] = [];
    let closed = false;
    for (this.#at++; this.#at < this.#lines.length && !closed; this.#at++) {
      const line = this.#line(this.#at);
      closed = end.test(line);
      if (!closed) body.push(line.replace(/^ {0,3}/, (spaces) => spaces.slice(indent)));
    }
    if (!closed && this.#open && /^[`~]{1,9}$/.test(body.at(-1)?.trim() ?? '')) body.pop();
    const language = /^[ \t]*([\w+#.-]{1,24})/.exec(info)?.[1] ?? '';
    const head = branch('div', [branch('span', [language]), branch('button', [], { class: 'copy', type: 'button' })], {
      class: 'code-head',
    });
    const pre = branch('pre', [branch('code', [body.join('\n')])], { tabindex: '0' });
    return [branch('div', [head, pre], { class: 'code', part: 'code' })];
  }

  #heading(line: string): Tree[] {
    this.#at++;
    const level = heading.exec(line)?.[1]?.length ?? 1;
    let text = line.trim().slice(level).trim();
    const marks = /#*$/.exec(text.slice(-100))?.[0].length ?? 0;
    if (marks && /[ \t]/.test(text.at(-marks - 1) ?? ' ')) text = text.slice(0, text.length - marks).trim();
    return [branch(headingTag(level), this.#inline(text))];
  }

  #inline(text: string): Tree[] {
    return inline(text, this.#open && this.#at >= this.#lines.length);
  }

  #quote(): Tree[] {
    const body: string[] = [];
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#line(this.#at);
      const lazy = !blank(line) && !blank(body.at(-1)) && !starts(line);
      if (!quote.test(line) && !lazy) break;
      body.push(line.replace(quote, ''));
    }
    const inner = blocks(body, this.#open && this.#at >= this.#lines.length, this.#depth + 1);
    return [
      branch(
        'blockquote',
        inner.map((block) => block.tree),
      ),
    ];
  }

  #list(mark: string): Tree {
    const ordered = /\d/.test(mark);
    const same = (other: string | undefined): boolean =>
      other !== undefined && (ordered ? /\d/.test(other) && other.at(-1) === mark.at(-1) : other === mark);
    const items: Tree[] = [];
    let loose = false;
    while (this.#at < this.#lines.length) {
      const found = bullet.exec(this.#line(this.#at));
      if (
        !found ||
        !same(found[2]) ||
        rule.test(this.#line(this.#at)) ||
        (items.length > 0 && this.#undecided(this.#line(this.#at)))
      )
        break;
      const { body, gap } = this.#item(found);
      const more = this.#at < this.#lines.length;
      const next = bullet.exec(this.#line(this.#at));
      if (gap && more && same(next?.[2])) loose = true;
      if (body.some((line, i) => blank(line) && i < body.length - 1 && i > 0 && !/^ /.test(body[i + 1] ?? '')))
        loose = true;
      items.push(this.#itemTree(body, this.#open && !more));
    }
    const attributes: Record<string, string> = loose ? { class: 'loose' } : {};
    const start = parseInt(mark);
    if (ordered && start !== 1) attributes.start = String(start);
    if (items.length === 0) this.#at++;
    return branch(ordered ? 'ol' : 'ul', items, attributes);
  }

  /** The lines of one item, without their indent; `gap`: empty lines follow. */
  #item(found: RegExpExecArray): { body: string[]; gap: boolean } {
    const marker = found[0];
    const rest = this.#line(this.#at).slice(marker.length);
    const width = (found[1]?.length ?? 0) + (found[2]?.length ?? 0);
    const spaces = marker.length - width;
    const indent = spaces > 4 || rest === '' ? width + 1 : marker.length;
    const outer = found[1]?.length ?? 0;
    const body = [spaces > 4 ? ' '.repeat(spaces - 1) + rest : rest];
    let gap = 0;
    for (this.#at++; this.#at < this.#lines.length; this.#at++) {
      const line = this.#line(this.#at);
      if (blank(line)) {
        gap++;
        continue;
      }
      const depth = /^ */.exec(line)?.[0].length ?? 0;
      // Models often indent a nested list by two spaces under "1."; CommonMark would end the outer list there.
      const inside = depth >= indent || (depth >= outer + 2 && bullet.test(line));
      const lazy = gap === 0 && !starts(line) && !bullet.test(line) && !blank(body.at(-1));
      if (!inside && !lazy) break;
      for (; gap > 0; gap--) body.push('');
      body.push(inside ? line.slice(Math.min(depth, indent)) : line);
    }
    return { body, gap: gap > 0 };
  }

  #itemTree(body: string[], open: boolean): Tree {
    const task = /^\[([ xX])\] /.exec(body[0] ?? '');
    if (task) body[0] = `${task[1] === ' ' ? '☐' : '☑'} ${(body[0] ?? '').slice(4)}`;
    return branch(
      'li',
      blocks(body, open, this.#depth + 1).map((block) => block.tree),
    );
  }

  /** Alignments of the table whose head is line `i`, or undefined where there is none. */
  #table(i: number): string[] | undefined {
    const head = this.#line(i);
    const delimiter = this.#lines[i + 1];
    if (
      !head.includes('|') ||
      delimiter === undefined ||
      !/^ {0,3}[|:-][|:\- \t]*$/.test(delimiter) ||
      !delimiter.includes('-')
    )
      return undefined;
    const columns = cells(delimiter);
    if (!columns.every((cell) => /^:?-+:?$/.test(cell)) || columns.length !== cells(head).length) return undefined;
    if (this.#open && i + 1 === this.#lines.length - 1 && !delimiter.trimEnd().endsWith('|')) return undefined;
    return columns.map((cell) => (cell.endsWith(':') ? (cell.startsWith(':') ? 'center' : 'end') : 'start'));
  }

  #rows(columns: string[]): Tree {
    const cell = (tag: string, text: string, i: number): Tree =>
      branch(tag, this.#inline(text), columns[i] === 'start' ? undefined : { class: columns[i] ?? '' });
    const headCells = cells(this.#line(this.#at));
    this.#at += 2;
    const head = branch(
      'tr',
      headCells.map((text, i) => cell('th', text, i)),
    );
    const rows: Tree[] = [];
    for (; this.#at < this.#lines.length;) {
      const line = this.#line(this.#at);
      if (blank(line) || (starts(line) && !line.trimStart().startsWith('|'))) break;
      this.#at++;
      const found = cells(line);
      rows.push(
        branch(
          'tr',
          columns.map((_, i) => cell('td', found[i] ?? '', i)),
        ),
      );
    }
    const table = branch('table', [branch('thead', [head]), branch('tbody', rows)]);
    return branch('div', [table], { class: 'table', part: 'table', tabindex: '0', role: 'region' });
  }

  #paragraph(): Tree[] {
    const text: string[] = [];
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#line(this.#at);
      if (blank(line)) break;
      if (text.length > 0) {
        const under = /^ {0,3}(=+|-+)[ \t]*$/.exec(line);
        if (under && !this.#undecided(line)) {
          this.#at++;
          return [branch(headingTag(under[1]?.startsWith('=') ? 1 : 2), this.#inline(text.join('\n')))];
        }
        if ((starts(line) && !this.#undecided(line)) || this.#table(this.#at)) break;
      }
      text.push(line.trimStart());
    }
    if (this.#open && this.#at >= this.#lines.length) this.#hideHalf(text);
    return text.length > 0 ? [branch('p', this.#inline(text.join('\n').trimEnd()))] : [];
  }

  /** Leaves out what may yet become the head of a table or the mark of a block. */
  #hideHalf(text: string[]): void {
    if (half.test(text.at(-1) ?? '')) text.pop();
    for (let i = 0; i < 2 && text.at(-1)?.startsWith('|'); i++) text.pop();
  }
}

/** Headings of an answer stand below those of the page and the panel. */
const headingTag = (level: number): string => `h${Math.min(level + 2, 6)}`;

/** Whether a line begins a block also in the middle of a paragraph. */
function starts(line: string): boolean {
  if (fence.test(line) || quote.test(line) || rule.test(line) || heading.test(line)) return true;
  const item = bullet.exec(line);
  return (
    item !== null &&
    (item[1]?.length ?? 0) < 4 &&
    item[0].length < line.length &&
    (!/\d/.test(item[2] ?? '') || /^1[.)]$/.test(item[2] ?? ''))
  );
}

/** The cells of a table's row; a bar that is escaped or in code does not divide. The last cell takes what is too much. */
function cells(line: string): string[] {
  let row = line.trim();
  if (row.startsWith('|')) row = row.slice(1);
  if (row.endsWith('|') && !row.endsWith('\\|')) row = row.slice(0, -1);
  const out: string[] = [];
  let from = 0;
  for (let i = 0; i < row.length && out.length < COLUMNS - 1; i++) {
    if (row[i] === '\\') i++;
    else if (row[i] === '|') {
      out.push(row.slice(from, i));
      from = i + 1;
    }
  }
  out.push(row.slice(from));
  return out.map((cell) => cell.trim().replace(/\\\|/g, '|'));
}
