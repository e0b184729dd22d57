import { pick } from '../shared/seeded.ts';
import type { Chance } from '../shared/seeded.ts';

type Words = readonly [string, ...string[]];

/** Words that fill a text up. */
export const FILLERS: Words = ['again', 'at once', 'in time', 'on stage', 'tonight', 'with care', 'by heart'];

const CITIES: Words = ['Rome', 'Oslo', 'Lisbon', 'Kyoto', 'Nairobi', 'Quito', 'Vienna'];

const SENTENCES: Words = [
  'The understudy knows every line of the play.',
  'A spare copy of the script is kept on stage.',
  'The second violin carries the whole scene.',
  'The show goes on when the lead has lost the voice.',
];

const USUAL: Words = ['curtain', 'rehearsal', 'prompter', 'ensemble', 'overture', 'spotlight', 'encore'];

/** What texts of such names are like, by the end of a name in any spelling; the first that fits. */
const BANKS: readonly (readonly [RegExp, Words])[] = [
  [/(city|town|place|location|destination|origin|capital)$/, CITIES],
  [/country$/, ['Italy', 'Norway', 'Portugal', 'Japan', 'Kenya', 'Ecuador', 'Austria']],
  [/(country|region)code$/, ['IT', 'NO', 'PT', 'JP', 'KE', 'EC', 'AT']],
  [/(language|locale|lang)$/, ['en', 'it', 'no', 'pt', 'ja', 'de']],
  [/currency(code)?$/, ['EUR', 'USD', 'NOK', 'JPY', 'KES']],
  [/firstname$|givenname$/, ['Ada', 'Grace', 'Alan', 'Edith', 'Emil']],
  [/(lastname|surname|familyname)$/, ['Berg', 'Rossi', 'Silva', 'Tanaka', 'Otieno']],
  [/(filename|file|path)$/, ['script.txt', 'cues.md', 'programme.pdf', 'notes.csv']],
  [/(author|person|customer|user|username|fullname|^name)$/, ['Ada Berg', 'Grace Rossi', 'Alan Silva', 'Edith Tanaka']],
  [/(title|subject|headline|topic)$/, ['The Second Act', 'A Spare Copy', 'Before the Curtain', 'The Last Cue']],
  [/(email|mail)$/, ['ada@example.org', 'grace@example.org', 'alan@example.net']],
  [/(url|uri|link|website)$/, ['https://example.org/play', 'https://example.net/cues']],
  [/(phone|tel|telephone)(number)?$/, ['+39 06 5550 0100', '+47 22 55 01 00']],
  [/(street|address)$/, ['7 Theatre Street', '12 Opera Square', '3 Stage Door Lane']],
  [/(zip|zipcode|postcode|postalcode)$/, ['00184', '0150', '1100']],
  [/(date|birthday|dayof)$/, ['2026-03-14', '2026-07-01', '2026-11-30']],
  [/(time|timestamp|createdat|updatedat)$/, ['2026-03-14T19:30:00Z', '2026-07-01T20:00:00Z']],
  [/(id|key|code|token|reference)$/, ['act-1', 'cue-27', 'seat-b12', 'row-7']],
  [/(colou?r)$/, ['red', 'green', 'blue', 'black', 'white']],
  [/(unit|units)$/, ['celsius', 'metre', 'minute']],
  [/(status|state)$/, ['open', 'ready', 'done']],
  [/(sentiment|mood)$/, ['positive', 'neutral', 'negative']],
  [/(query|question|search|prompt)$/, ['opening night tickets', 'who plays the lead', 'seats in the first row']],
  [/(tag|tags|keyword|keywords|category|label|labels)$/, ['theatre', 'music', 'stage', 'comedy', 'drama']],
  [/(answer|text|summary|description|reason|reasoning|explanation|message|content|comment|body|note)s?$/, SENTENCES],
];

/** Says something that a property of this name might hold. */
export function wordsFor(name: string, chance: Chance): string {
  const plain = name.replaceAll(/[^A-Za-z]/g, '').toLowerCase();
  return pick(chance, BANKS.find(([ending]) => ending.test(plain))?.[1] ?? USUAL);
}
