/** @typedef {Node | string | number | undefined | false} Child - what stands in an element; undefined and false stand for nothing */
/** @typedef {Readonly<Record<string, string | number | boolean | undefined | ((event: Event) => void)>>} Props - attributes, and listeners as `onclick` */

/**
 * Makes an element. Texts become text nodes: nothing is read as HTML.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Props} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...childNodes(children));
  return made;
}

/**
 * @param {readonly Child[]} children
 * @returns {(Node | string)[]}
 */
function childNodes(children) {
  return children
    .filter((child) => child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}

/**
 * Puts children in the place of what an element has.
 *
 * @param {Element} parent
 * @param {...Child} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren(...childNodes(children));
}

/**
 * Returns an element of the page.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no element ${id}`);
  return found;
}

/**
 * Makes a column of a table.
 *
 * @param {string} title
 * @param {{ readonly number?: boolean, readonly hint?: string }} [options]
 * @returns {HTMLTableCellElement}
 */
export function heading(title, { number = false, hint } = {}) {
  return element(
    'th',
    { scope: 'col', role: 'columnheader', class: number ? 'number' : undefined, title: hint },
    title,
  );
}

/**
 * Makes a cell. On narrow screens its label stands beside it.
 *
 * @param {string} label
 * @param {string} kind - classes, such as `number`
 * @param {...Child} children
 * @returns {HTMLTableCellElement}
 */
export function cell(label, kind, ...children) {
  return element('td', { role: 'cell', 'data-label': label, class: kind === '' ? undefined : kind }, ...children);
}

/**
 * Makes a table whose roles stay what they are where styles make blocks of its rows.
 *
 * @param {string} caption - for who does not see it
 * @param {readonly HTMLTableCellElement[]} headings
 * @returns {{ readonly table: HTMLTableElement, readonly body: HTMLTableSectionElement }}
 */
export function table(caption, headings) {
  const body = element('tbody', { role: 'rowgroup' });
  const made = element(
    'table',
    { role: 'table' },
    element('caption', { class: 'hidden' }, caption),
    element('thead', { role: 'rowgroup' }, element('tr', { role: 'row' }, ...headings)),
    body,
  );
  return { table: made, body };
}

/**
 * Keeps the children of an element as items are, in their order: those that stay keep their elements, with focus and selection, and an
 * element is made anew only where its item is another one. Of items with the same key, each keeps its own.
 *
 * @template Item
 * @param {Element} parent
 * @param {readonly Item[]} items
 * @param {(item: Item) => string} keyOf
 * @param {(item: Item) => Element} make
 */
export function keep(parent, items, keyOf, make) {
  /** @type {Map<string, Element>} */
  const before = new Map([...parent.children].map((child) => [child.getAttribute('data-key') ?? '', child]));
  /** @type {Map<string, number>} */
  const times = new Map();
  let place = parent.firstElementChild;
  for (const item of items) {
    const alike = times.get(keyOf(item)) ?? 0;
    times.set(keyOf(item), alike + 1);
    const key = `${keyOf(item)} ${alike}`;
    const text = JSON.stringify(item);
    let child = before.get(key);
    before.delete(key);
    if (child === undefined || child.getAttribute('data-text') !== text) {
      const made = make(item);
      made.setAttribute('data-key', key);
      made.setAttribute('data-text', text);
      if (child === undefined) child = made;
      else renew(child, made);
    }
    if (child === place) place = child.nextElementSibling;
    else parent.insertBefore(child, place);
  }
  for (const child of before.values()) child.remove();
}

/**
 * Makes an element what another one of the same kind is, and touches only what differs: what is focused, selected or chosen in it stays.
 *
 * @param {Element} before
 * @param {Element} after
 */
function renew(before, after) {
  for (const name of before.getAttributeNames()) if (!after.hasAttribute(name)) before.removeAttribute(name);
  for (const { name, value } of after.attributes)
    if (before.getAttribute(name) !== value) before.setAttribute(name, value);
  const [old, fresh] = [[...before.childNodes], [...after.childNodes]];
  if (old.length !== fresh.length || old.some((node, index) => node.nodeName !== fresh[index]?.nodeName)) {
    before.replaceChildren(...fresh);
    return;
  }
  old.forEach((node, index) => {
    const other = fresh[index];
    if (other === undefined || node.isEqualNode(other)) return;
    if (node instanceof Element && other instanceof Element) renew(node, other);
    else node.textContent = other.textContent;
  });
}
