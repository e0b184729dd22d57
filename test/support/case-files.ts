import { existsSync, readdirSync, readFileSync } from 'node:fs';

import type { JsonValue } from '@bufbuild/protobuf';

import type { ConfigInput } from '../../src/config/file/schema.ts';

type TargetInput = NonNullable<ConfigInput['targets']>[number];

/** Where the cases are; what needs them is skipped otherwise. */
const FOLDER = new URL('../../../shared/cases/', import.meta.url);

/** The two calls that a case is asked by: `unary` is Chat, `stream` is StreamChat. */
export type CaseMode = 'unary' | 'stream';

/** What an upstream of a case answers: status, headers, and a body that is whole or comes in chunks, byte for byte. */
export interface CaseAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly chunks?: readonly string[];
}

/** An upstream that always answers the same, or one that answers by a rule, which a test knows by the name of the case. */
export type CaseUpstream =
  | CaseAnswer
  | { readonly rule: string; readonly first?: CaseAnswer; readonly good?: CaseAnswer; readonly bad?: CaseAnswer };

/** A case as the folder has it: what a server sends, and what is asked of it. */
export interface ProviderCase {
  readonly name: string;
  readonly target: TargetInput;
  readonly upstream: CaseUpstream;
  readonly modes: readonly CaseMode[];
  /** A request of Chat in protobuf JSON. */
  readonly request: JsonValue;
  /** Whether the answer goes back with a result of a tool, for a second turn. */
  readonly then?: string;
}

/** What every file of the folder has, whatever it is about. */
interface AnyCase {
  readonly name: string;
  readonly modes?: readonly string[];
}

/** Whether the folder is there. */
export const hasCases: boolean = existsSync(FOLDER);

/** The cases that a provider's answer is part of, by name, with the whole streams of real servers among them. */
export function providerCases(): readonly ProviderCase[] {
  const described = filesOf(FOLDER, '.json').map((text) => JSON.parse(text) as AnyCase);
  return [
    ...described.filter(({ modes = [] }) => modes.every(isMode)).map((one) => one as ProviderCase),
    ...namesOf(FOLDER, '.sse').map(streamCase),
  ];
}

/** The names of all cases: those of providers, those that name other ways to ask, and those that are told as JSON alone. */
export function allCaseNames(): readonly string[] {
  const others = [...filesOf(FOLDER, '.json'), ...filesOf(new URL('operations/', FOLDER), '.json')];
  const named = others.map((text) => (JSON.parse(text) as AnyCase).name);
  return [...new Set([...named, ...namesOf(FOLDER, '.sse').map((file) => file.replace('.sse', ''))])];
}

/** A file of the folder, or of one below it, as it stands; it is whatever the test knows it to be. */
export function caseFile(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, FOLDER), 'utf8'));
}

function isMode(mode: string): mode is CaseMode {
  return mode === 'unary' || mode === 'stream';
}

function namesOf(folder: URL, ending: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith(ending));
  return names.sort();
}

function filesOf(folder: URL, ending: string): readonly string[] {
  return namesOf(folder, ending).map((name) => readFileSync(new URL(name, folder), 'utf8'));
}

/** A whole HTTP answer as it was caught; it is sent event by event. */
function streamCase(file: string): ProviderCase {
  const [head = '', ...rest] = readFileSync(new URL(file, FOLDER), 'utf8').split(/\r?\n\r?\n/);
  const [, ...lines] = head.split(/\r?\n/);
  const headers = lines.map((line): readonly [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const own = headers.filter(([name]) => name !== 'transfer-encoding' && name !== 'keep-alive' && name !== 'date');
  const chunks = rest.filter((event) => event.trim() !== '').map((event) => `${event}\n\n`);
  return {
    name: file.replace('.sse', ''),
    target: { name: 'own', provider: 'openai', api: 'responses', model: 'open-model' },
    upstream: { status: 200, headers: Object.fromEntries(own), chunks },
    modes: ['unary', 'stream'],
    request: { messages: [{ role: 'ROLE_USER', content: [{ text: 'Hello' }] }] },
  };
}
