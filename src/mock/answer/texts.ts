import { below, pick } from '../shared/seeded.ts';
import type { Chance } from '../shared/seeded.ts';

type Bank = readonly [string, ...string[]];

const OPENINGS: Bank = ['Certainly.', 'Of course.', 'Good question.', 'In short:', 'Here is my answer.', 'Gladly.'];

const SUBJECTS: Bank = [
  'The understudy',
  'A quiet stagehand',
  'The second violin',
  'Every careful prompter',
  'The evening ensemble',
  'Our patient director',
];

const VERBS: Bank = ['remembers', 'rehearses', 'keeps', 'watches', 'carries', 'repeats'];

const OBJECTS: Bank = [
  'each line of the play',
  'the cues of the first act',
  'a spare copy of the script',
  'the rhythm of the whole scene',
  'every step of the long dance',
];

const ENDINGS: Bank = [
  'until the curtain falls',
  'while the lights go up',
  'so that the show goes on',
  'before the audience takes its seats',
  'when the lead has lost the voice',
];

const THOUGHTS: Bank = [
  'I should find out what is asked here.',
  'Let me look at the question first.',
  'The request is short, so the answer can be short.',
  'A plain answer serves best.',
  'Two sentences will do.',
];

const REFUSALS: Bank = [
  'I am sorry, but I cannot help with that request.',
  'I would rather not answer this one, but gladly something else.',
];

const MANY_SCRIPTS: Bank = [
  '你好，世界！替补演员记得每一句台词。',
  'こんにちは、舞台の準備はできました。',
  'Ça va très bien, même à l’été 🎭✨.',
  'Zażółć gęślą jaźń 👩🏽‍🚀🇪🇺 – très naïve.',
  '幕が上がる前に、灯りが消えます 🌙.',
];

/** Says something of 20 to 40 words. */
export function sentences(chance: Chance): string {
  let text = pick(chance, OPENINGS);
  const banks = [SUBJECTS, VERBS, OBJECTS, ENDINGS].map((bank) => inTurn(chance, bank));
  while (text.split(' ').length < 20) text += ` ${banks.map((next) => next()).join(' ')}.`;
  return text;
}

/** Says something in several scripts, with emoji of several code points. */
export function multibyteText(chance: Chance): string {
  return Array.from({ length: 4 }, inTurn(chance, MANY_SCRIPTS)).join(' ');
}

/** Thinks aloud. */
export function reasoningText(chance: Chance): string {
  return Array.from({ length: 2 }, inTurn(chance, THOUGHTS)).join(' ');
}

/** Declines. */
export function refusalText(chance: Chance): string {
  return pick(chance, REFUSALS);
}

/** Returns one text after the other, from a random one on. */
function inTurn(chance: Chance, bank: Bank): () => string {
  let at = below(chance, bank.length);
  return () => {
    at = (at + 1) % bank.length;
    return bank[at] ?? bank[0];
  };
}
