/** One instruction of a Dockerfile. */
export interface Instruction {
  readonly name: string;
  /** Its words as they stand, lines joined. */
  readonly text: string;
}

/** One stage of a Dockerfile. */
export interface Stage {
  /** The image or stage that it begins with; arguments are put in. */
  readonly from: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

const ARGUMENT = /\$\{(\w+)\}/g;

/** Reads a Dockerfile: comments left out, lines joined, the default of each `ARG` put in. Throws at an `ARG` that has none. */
export function readStages(text: string): readonly Stage[] {
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll('\\\n', '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const values = new Map<string, string>();
  const stages: { from: string; name: string | undefined; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    const words = rest.replaceAll(ARGUMENT, (_, key: string) => {
      const value = values.get(key);
      if (value === undefined) throw new Error(`${key} has no value`);
      return value;
    });
    if (name === 'ARG') {
      const [key = '', value] = words.split('=');
      if (value !== undefined) values.set(key, value);
    } else if (name === 'FROM') {
      const [from = '', , stage] = words.split(/\s+/);
      stages.push({ from, name: stage, instructions: [] });
    } else stages.at(-1)?.instructions.push({ name, text: words.replaceAll(/\s+/g, ' ') });
  }
  return stages;
}

/** Returns the words of an instruction in the form of a JSON array, such as `["node", "main.js"]`. */
export function wordsOf(text: string): readonly string[] {
  const words: unknown = JSON.parse(text.replace(/^.*?\[/, '['));
  if (!Array.isArray(words)) throw new Error(`${text} is no list`);
  return words.map(String);
}

/** Returns the variables that `ENV` or `LABEL` sets: `KEY=value`, quoted where they have blanks. */
export function pairsOf(text: string): ReadonlyMap<string, string> {
  const found = text.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S*))/g);
  return new Map([...found].map(([, key = '', quoted, plain]) => [key, quoted ?? plain ?? '']));
}
