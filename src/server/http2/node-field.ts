/** The last of Node's major versions of which it is known what it keeps in its own fields, and what for. */
const LAST_KNOWN_NODE = 26;

/** Whether it is known what this Node keeps in its own fields; `version` as in `process.versions.node`. */
export function isKnownNode(version: string): boolean {
  return Number.parseInt(version, 10) <= LAST_KNOWN_NODE;
}

/** The name of a field of Node's own, which is a symbol with such a description; undefined where an object has none. */
export function nodeField(owner: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(owner).find((symbol) => symbol.description === description);
}
