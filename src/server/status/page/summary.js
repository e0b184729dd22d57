/** @import { ShownSections, TargetSection } from '../shown-sections.ts' */
import { byId, element, fill } from './dom.js';
import { count, dayCost, instant, moment, percent } from './format.js';
import { troubleOf } from './target-state.js';

/**
 * Says in a few words how the whole is doing, also in the title.
 *
 * @param {Partial<ShownSections>} sections
 * @param {readonly TargetSection[]} targets
 */
export function showState({ process, load }, targets) {
  if (process === undefined || load === undefined) return;
  const down = targets.filter((target) => troubleOf(target) === 2).length;
  const isPartly = targets.some((target) => troubleOf(target) === 1);
  const share = load.lastMinute === 0 ? 0 : load.failedLastMinute / load.lastMinute;
  const [level, text] = stateOf();
  const state = byId('state');
  state.className = level;
  if (state.textContent !== text) fill(state, text);
  document.title = level === 'ok' ? 'Understudy' : `${text} · Understudy`;

  /** @returns {readonly ['ok' | 'warn' | 'bad', string]} */
  function stateOf() {
    if (targets.length === 0) return ['bad', 'No provider is configured'];
    if (targets.every(({ isAvailable }) => !isAvailable))
      return ['bad', targets.length === 1 ? 'The target is down' : `All ${targets.length} targets are down`];
    if (share >= 0.1) return ['bad', `${percent(share)} of the calls fail`];
    if (load?.isOverloaded === true) return ['bad', 'Overloaded'];
    if (process?.isReady === false) return ['warn', 'Not ready'];
    if (down > 0) return ['warn', `${down} of ${targets.length} targets ${down === 1 ? 'is' : 'are'} down`];
    if (isPartly) return ['warn', 'Serving, with trouble'];
    return ['ok', 'Serving'];
  }
}

/**
 * Shows the figures of the whole.
 *
 * @param {Partial<ShownSections>} sections
 */
export function showFigures({ process, load, costs }) {
  if (process === undefined || load === undefined || costs === undefined) return;
  const { lastMinute, failedLastMinute, lastHour, failedLastHour } = load;
  const since = `${costs.source === 'ledger' ? 'as the ledger has it' : 'of this process'}, since ${instant(costs.sinceMs)}`;
  fill(
    byId('figures'),
    ...figure('Calls a minute', count(lastMinute), `${count(lastHour)} in the last hour`),
    ...figure(
      'Failed a minute',
      count(failedLastMinute),
      failedLastHour === 0
        ? 'none in the last hour'
        : `${count(failedLastHour)} in the last hour, ${percent(failedLastHour / lastHour)}`,
      failedLastMinute > 0 ? 'bad' : '',
    ),
    ...figure(
      'In flight',
      count(load.active),
      `of ${count(load.maxActive)}${load.queued > 0 ? `, ${count(load.queued)} wait` : ''}`,
      load.queued > 0 ? 'warn' : '',
    ),
    ...figure(
      'Cost today',
      dayCost(costs.today),
      costs.source === 'ledger' ? 'as the ledger has it' : 'of this process',
      '',
      since,
    ),
    ...figure(
      'Memory',
      `${count(load.memoryMib)} MiB`,
      `of ${count(load.memoryLimitMib)}`,
      load.memoryMib > 0.85 * load.memoryLimitMib ? 'warn' : '',
    ),
    ...figure('Up for', moment(process.startedAtMs, 'ago'), `version ${process.version}`),
  );
  showNotes(process, load);
}

/**
 * @param {string} name
 * @param {import('./dom.js').Child} value
 * @param {string} beside
 * @param {string} [level]
 * @param {string} [title]
 * @returns {readonly HTMLElement[]}
 */
function figure(name, value, beside, level = '', title) {
  const body = element(
    'dd',
    { title },
    element('span', { class: `value ${level}` }, value),
    element('span', { class: 'dim' }, beside),
  );
  return [element('div', {}, element('dt', {}, name), body)];
}

/** @param {readonly string[]} problems @returns {string} as many as can be read at a glance; the log has all */
function fewOf(problems) {
  const shown = problems.slice(0, 3).join('; ');
  return problems.length > 3 ? `${shown}; and ${problems.length - 3} more` : shown;
}

/** @param {ShownSections['process']} process @param {ShownSections['load']} load */
function showNotes({ refusedConfig }, load) {
  const { refused, isOverloaded, ledgerWaiting = 0, ledgerDropped = 0, ledgerGoneSinceMs, isLimitStoreUp } = load;
  const isLedgerGone = ledgerGoneSinceMs !== undefined;
  const { atMs = 0, problems = [] } = refusedConfig ?? {};
  /** @type {readonly (readonly [isTrue: boolean, level: string, text: string])[]} */
  const notes = [
    [
      refusedConfig !== undefined,
      'bad',
      `The configuration of ${instant(atMs)} cannot be used, and the one before holds: ${fewOf(problems)}`,
    ],
    [isLimitStoreUp === false, 'bad', 'The store of limits does not answer.'],
    [ledgerDropped > 0, 'bad', `${count(ledgerDropped)} attempts are lost to the ledger.`],
    [
      isLedgerGone,
      'bad',
      `The store of the ledger has taken no rows since ${instant(ledgerGoneSinceMs ?? 0)}: ${count(ledgerWaiting)} attempts wait for it.`,
    ],
    [!isLedgerGone && ledgerWaiting > 1_000, 'warn', `${count(ledgerWaiting)} attempts wait for the ledger.`],
    [isOverloaded, 'bad', 'This process has too much to do: new calls are refused.'],
    [refused > 0 && !isOverloaded, 'warn', `${count(refused)} calls were refused as OVERLOADED since start.`],
  ];
  fill(
    byId('notes'),
    ...notes.map(([isTrue, level, text]) => isTrue && element('p', { class: `note ${level}` }, text)),
  );
}

/**
 * Says how the gateway is called, while nobody has.
 *
 * @param {Partial<ShownSections>} sections
 */
export function showEmpty({ process, load, order }) {
  const section = byId('empty');
  const doors = load !== undefined && load.lastHour === 0 && load.active === 0 ? process?.doors : undefined;
  const isWithoutProvider = order?.length === 0;
  const told = doors && JSON.stringify([doors, isWithoutProvider]);
  section.hidden = doors === undefined;
  // What somebody is about to copy stays as it is.
  if (doors === undefined || section.dataset['told'] === told) return;
  section.dataset['told'] = told;
  const { grpc, web, isSecure, asksWhoCalls } = doors;
  const key = asksWhoCalls ? '-H "authorization: Bearer $UNDERSTUDY_API_KEY" ' : '';
  const body = `'{ "prompt": "Say hello." }'`;
  const commands = [
    `grpcurl ${isSecure ? '' : '-plaintext '}${key}-d ${body} ${reachable(grpc)} understudy.v1.LlmService/Generate`,
    `curl ${key}--json ${body} http${isSecure ? 's' : ''}://${reachable(web)}/understudy.v1.LlmService/Generate`,
  ];
  fill(
    section,
    element('h2', { id: 'empty-title' }, 'No call within the last hour'),
    isWithoutProvider &&
      element('p', {}, 'No provider is configured: set OPENAI_API_KEY or another key, or name targets in a file.'),
    element('p', {}, 'Make one:'),
    ...commands.map((command) => element('pre', { tabindex: 0 }, element('code', {}, command))),
  );
}

/** @param {string} address - `host:port` @returns {string} the same, by the name of this page where it listens on all addresses */
function reachable(address) {
  return address.replace(/^(0\.0\.0\.0|\[::\])(?=:\d+$)/, location.hostname);
}
