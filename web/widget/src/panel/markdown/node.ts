/**
 * What Markdown becomes: a small tree of a few known elements, and the patch that brings it into the page. No text is ever
 * parsed as HTML, and an element or attribute that is not made here cannot come to be.
 */
export interface Branch {
  tag: string;
  attributes?: Record<string, string>;
  kids: Tree[];
}

export type Tree = string | Branch;

export const branch = (tag: string, kids: Tree[], attributes?: Record<string, string>): Branch =>
  attributes ? { tag, attributes, kids } : { tag, kids };

/** All the text below. */
export function textOf(tree: Tree): string {
  return typeof tree === 'string' ? tree : tree.kids.map(textOf).join('');
}

function create(tree: Tree): Node {
  if (typeof tree === 'string') return document.createTextNode(tree);
  const element = document.createElement(tree.tag);
  for (const [name, value] of Object.entries(tree.attributes ?? {})) element.setAttribute(name, value);
  for (const kid of tree.kids) element.appendChild(create(kid));
  return element;
}

/**
 * Changes the children of `parent` from `before` to `after`, touching no node that stays the same: text that grew is
 * appended to, so that a selection and a screen reader's place hold while an answer streams.
 * `skip` children in front belong to others.
 */
export function patch(parent: Node, before: readonly Tree[], after: readonly Tree[], skip = 0): void {
  for (let i = 0; i < after.length; i++) {
    const from = before[i];
    const to = after[i] as Tree;
    if (from === to) continue;
    const node = parent.childNodes[skip + i];
    if (from === undefined || !node) parent.appendChild(create(to));
    else if (typeof from === 'string' && typeof to === 'string') {
      const text = node as Text;
      if (to.startsWith(from)) text.appendData(to.slice(from.length));
      else text.data = to;
    } else if (typeof from !== 'string' && typeof to !== 'string' && from.tag === to.tag) {
      patchAttributes(node as Element, from.attributes ?? {}, to.attributes ?? {});
      patch(node, from.kids, to.kids);
    } else parent.replaceChild(create(to), node);
  }
  for (let i = before.length; i > after.length; i--) parent.lastChild?.remove();
}

function patchAttributes(element: Element, from: Record<string, string>, to: Record<string, string>): void {
  for (const name of Object.keys(from)) if (!(name in to)) element.removeAttribute(name);
  for (const [name, value] of Object.entries(to)) if (from[name] !== value) element.setAttribute(name, value);
}
