import type { DirectTool } from './direct-bodies.ts';
import type { Said } from './streamed-answers.ts';

/** So many questions does the user ask. */
const QUESTIONS = 20;

/** Every so many answers the model calls a tool first. */
const CALLS_EVERY = 4;

/** What the application tells the model: some 1,500 tokens of four characters. */
export const RULES = words('rule', 1_000);

/** What the model may call. */
export const TOOLS: readonly DirectTool[] = [
  {
    name: 'weather',
    description: 'Tells the weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
  {
    name: 'trains',
    description: 'Tells the trains between two cities.',
    parameters: { type: 'object', properties: { from: { type: 'string' }, to: { type: 'string' } } },
  },
];

/** What is asked of the model in one step: a question of the user, or the result of its call. */
export interface Step {
  readonly asks: { readonly question: string } | { readonly result: string };
  readonly says: Said;
}

/** The whole conversation: a step for each call of the provider. */
export const STEPS: readonly Step[] = Array.from({ length: QUESTIONS }, (_, index): readonly Step[] => {
  const question = { question: words(`question${index}`, 60) };
  const says = { text: words(`answer${index}`, 90) };
  if (index % CALLS_EVERY !== CALLS_EVERY - 1) return [{ asks: question, says }];
  const call = { id: `call${String(index).padStart(5, '0')}`, name: 'weather', args: `{"city":"City ${index}"}` };
  return [
    { asks: question, says: { call } },
    { asks: { result: words(`result${index}`, 40) }, says },
  ];
}).flat();

function words(stem: string, count: number): string {
  return Array.from({ length: count }, (_, index) => `${stem}${index}`).join(' ');
}
