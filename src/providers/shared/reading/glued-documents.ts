import { asRecord, parseJson } from '../json/value.ts';

/** The end marker of OpenAI's streams, as data of an event. */
export const DONE = '[DONE]';

const DONE_AT_END = /"?\[done\]"?$/i;

/**
 * Takes the data of an event apart that is no JSON document by itself: several documents of which each has its line, with the
 * end marker glued to the last, or with `data:` before it once more. Returns them as texts, each an object, `null` or
 * {@link DONE}; undefined where the data are something else.
 */
export function gluedDocuments(data: string): readonly string[] | undefined {
  const marker = DONE_AT_END.exec(data);
  if (marker !== null) {
    const front = data.slice(0, marker.index).trim();
    if (front === '') return [DONE];
    if (isDocument(front)) return [front, DONE];
  }
  const documents = data.split('\n').flatMap(documentsOf);
  return documents.every((document) => document === DONE || isDocument(document)) ? documents : undefined;
}

function documentsOf(line: string): readonly string[] {
  const text = line.trim().replace(/^(?:data:\s*)+/, '');
  const marker = DONE_AT_END.exec(text);
  const front = marker === null ? text : text.slice(0, marker.index).trim();
  return [...(front === '' ? [] : [front]), ...(marker === null ? [] : [DONE])];
}

function isDocument(text: string): boolean {
  const value = parseJson(text);
  return value === null || asRecord(value) !== undefined;
}
