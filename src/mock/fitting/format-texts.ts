import { below, pick, randomText, uuidFrom } from '../shared/seeded.ts';
import type { Chance } from '../shared/seeded.ts';

type Write = (chance: Chance, min: number) => string;

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

const two = (chance: Chance, from: number, below_: number): string =>
  String(from + below(chance, below_)).padStart(2, '0');
const date: Write = (chance) => `2026-${two(chance, 1, 12)}-${two(chance, 1, 28)}`;
const time: Write = (chance) => `${two(chance, 0, 24)}:${two(chance, 0, 60)}:${two(chance, 0, 60)}Z`;
const host: Write = (chance) => pick(chance, ['example.org', 'example.net', 'stage.example.com']);
const padded = (text: string, rest: string, chance: Chance, min: number): string =>
  text + randomText(chance, Math.max(0, min - text.length - rest.length), LETTERS) + rest;
const email: Write = (chance, min) =>
  padded(
    pick(chance, ['ada', 'grace', 'alan', 'edith']),
    `@${pick(chance, ['example.org', 'example.net'])}`,
    chance,
    min,
  );
const uri: Write = (chance, min) =>
  padded(`https://${host(chance, 0)}/${pick(chance, ['play', 'cues', 'seats'])}`, '', chance, min);
const reference: Write = (chance, min) => padded(`/${pick(chance, ['play', 'cues', 'seats'])}`, '', chance, min);

/** What is written for a `format`, by its name in the drafts of JSON Schema and OpenAPI. */
const FORMATS: ReadonlyMap<string, Write> = new Map<string, Write>([
  ['date-time', (chance) => `${date(chance, 0)}T${time(chance, 0)}`],
  ['date', date],
  ['time', time],
  ['duration', (chance) => pick(chance, ['PT30M', 'PT2H', 'P1D', 'P2W'])],
  ['email', email],
  ['idn-email', email],
  ['hostname', host],
  ['idn-hostname', host],
  ['ipv4', (chance) => `192.0.2.${1 + below(chance, 254)}`],
  ['ipv6', (chance) => `2001:db8::${randomText(chance, 4, '123456789abcdef')}`],
  ['uri', uri],
  ['iri', uri],
  ['url', uri],
  ['uri-reference', reference],
  ['iri-reference', reference],
  ['uri-template', () => 'https://example.org/seats/{row}'],
  ['json-pointer', reference],
  ['relative-json-pointer', () => '0/play'],
  ['uuid', (chance) => uuidFrom(withVersion(randomText(chance, 32)))],
  ['regex', () => '^[a-z]+$'],
  ['byte', (chance) => pick(chance, ['dW5kZXJzdHVkeQ==', 'Y3VydGFpbg=='])],
  ['base64', (chance) => pick(chance, ['dW5kZXJzdHVkeQ==', 'Y3VydGFpbg=='])],
]);

/** Writes a text of a format, of at least `min` characters where the format has room for them; undefined for unknown ones. */
export function formatText(format: string, min: number, chance: Chance): string | undefined {
  return FORMATS.get(format)?.(chance, min);
}

/** Version 4, variant 1. */
function withVersion(digits: string): string {
  return `${digits.slice(0, 12)}4${digits.slice(13, 16)}8${digits.slice(17)}`;
}
