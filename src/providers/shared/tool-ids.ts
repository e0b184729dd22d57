import { hash53 } from '../../core/text-hash.ts';

/** Which ids of tool calls a provider takes, and how others are written there. */
export interface ToolIdForm {
  /** Ids that the provider takes as they are. */
  readonly fits: RegExp;
  /** Writes any other id in that form; `attempt` counts from 0, and every attempt gives another text. */
  rewrite(id: string, attempt: number): string;
}

/** So many hold the 53 bits of the hash. */
const LENGTH = 9;
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * Makes the function that gives each tool call of one conversation the id it has at a provider. A call and its result get the
 * same one, two calls never do. An id that fits is kept unless an earlier call has it; what an id becomes depends on those
 * before it alone, so that it stays the same while the conversation grows. It is asked in the order of the conversation.
 */
export function toolIdsFor(form: ToolIdForm | undefined): (id: string) => string {
  if (form === undefined) return (id) => id;
  let given: Map<string, string> | undefined;
  let taken: Set<string> | undefined;
  return (id) => {
    given ??= new Map();
    taken ??= new Set();
    const known = given.get(id);
    if (known !== undefined) return known;
    let wireId = form.fits.test(id) ? id : form.rewrite(id, 0);
    for (let attempt = 1; taken.has(wireId); attempt += 1) wireId = form.rewrite(id, attempt);
    given.set(id, wireId);
    taken.add(wireId);
    return wireId;
  };
}

/** Makes the form in which ids that do not fit become a prefix and nine letters and digits, made of the id. */
export function hashedIds(fits: RegExp, prefix = ''): ToolIdForm {
  return { fits, rewrite: (id, attempt) => `${prefix}${lettersOf(`${attempt} ${id}`)}` };
}

/** Makes nine letters and digits of a text: always the same ones, and hardly ever those of another text. */
export function lettersOf(text: string): string {
  let rest = hash53(text);
  let letters = '';
  while (letters.length < LENGTH) {
    letters += DIGITS.charAt(rest % DIGITS.length);
    rest = Math.floor(rest / DIGITS.length);
  }
  return letters;
}
