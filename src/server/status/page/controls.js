import { byId, element, fill } from './dom.js';

/**
 * What operators can do to circuits, and what it comes to.
 *
 * @type {readonly { name: string, state: string, explain: (what: string) => string, isOfTarget?: boolean }[]}
 */
const ACTIONS = [
  {
    name: 'Force open',
    state: 'FORCED_STATE_OPEN',
    explain: (what) => `No call goes to ${what} until it is automatic again, or is reset.`,
  },
  {
    name: 'Force closed',
    state: 'FORCED_STATE_CLOSED',
    explain: (what) => `Calls go to ${what} however many fail. Rate limits and suspensions still hold.`,
  },
  {
    name: 'Disable',
    state: 'FORCED_STATE_DISABLED',
    explain: (what) => `${what} is out of use as a whole.`,
    isOfTarget: true,
  },
  {
    name: 'Automatic',
    state: 'FORCED_STATE_AUTOMATIC',
    explain: (what) => `The circuit breaker decides about ${what} again.`,
  },
];

const ENDS = 'It holds for this process, until that ends. The log says who did it.';

/**
 * Makes the buttons of a target. Each asks before it does anything.
 *
 * @param {string} target
 * @param {readonly string[]} models - that have circuits of their own
 * @returns {HTMLElement}
 */
export function controlsOf(target, models) {
  const choice = element(
    'select',
    { 'aria-label': `Circuits of ${target}` },
    element('option', { value: '' }, 'All circuits'),
    ...models.map((model) => element('option', { value: model }, model)),
  );
  const buttons = ACTIONS.map(({ name, state, explain, isOfTarget = false }) => {
    const ask = () => {
      const model = isOfTarget ? '' : choice.value;
      const what = model === '' ? target : `${model} at ${target}`;
      confirm(`${name}: ${what}`, explain(what), name, 'ForceCircuit', {
        target,
        state,
        ...(model !== '' && { model }),
      });
    };
    return element('button', { type: 'button', onclick: ask }, name);
  });
  const reset = () =>
    confirm(
      `Reset: ${target}`,
      `${target} begins afresh: circuits close, forced states end, and the rate limits and suspensions of its account are forgotten.`,
      'Reset',
      'ResetTarget',
      { target },
    );
  return element(
    'div',
    { class: 'controls', role: 'group', 'aria-label': `Operate ${target}` },
    choice,
    ...buttons,
    element('button', { type: 'button', onclick: reset }, 'Reset'),
  );
}

/**
 * @param {string} question
 * @param {string} explanation
 * @param {string} name - of the button that does it
 * @param {'ForceCircuit' | 'ResetTarget'} method
 * @param {Readonly<Record<string, string>>} request
 */
function confirm(question, explanation, name, method, request) {
  const dialog = byId('confirm');
  if (!(dialog instanceof HTMLDialogElement)) return;
  const problem = element('p', { class: 'bad', role: 'alert' });
  const act = element('button', { type: 'button', class: 'strong', onclick: () => void run() }, name);
  const run = async () => {
    act.disabled = true;
    const refusal = await post(method, request);
    act.disabled = false;
    if (refusal === undefined) dialog.close();
    else fill(problem, refusal);
  };
  fill(
    dialog,
    element('h2', { id: 'confirm-title' }, question),
    element('p', {}, explanation),
    element('p', { class: 'dim' }, ENDS),
    problem,
    element(
      'div',
      { class: 'buttons' },
      element('button', { type: 'button', autofocus: true, onclick: () => dialog.close() }, 'Cancel'),
      act,
    ),
  );
  dialog.showModal();
}

/**
 * @param {string} method
 * @param {Readonly<Record<string, string>>} request
 * @returns {Promise<string | undefined>} why it was refused; undefined: it was done
 */
async function post(method, request) {
  try {
    const answer = await fetch(`understudy.v1.AdminService/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
    });
    if (answer.ok) return undefined;
    const text = await answer.text();
    return text.startsWith('{') ? (JSON.parse(text).message ?? text) : text;
  } catch {
    return 'The gateway cannot be reached.';
  }
}
