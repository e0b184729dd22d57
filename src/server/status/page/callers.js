/** @import { ShownSections } from '../shown-sections.ts' */
import { byId, cell, element, fill, heading, keep, table } from './dom.js';
import { count, countOrQuiet, dayCost, moment, usd } from './format.js';

/** @typedef {ShownSections['budgets'][number]} Budget */
/** @typedef {{ name: string, isGroup: boolean, caller: ShownSections['callers'][number] | undefined, budgets: readonly Budget[] }} Row */

const { table: shown, body } = table('Callers', [
  heading('Caller'),
  heading('Group'),
  heading('A minute', { number: true, hint: 'calls that ended within the last minute' }),
  heading('Failed', { number: true, hint: 'of these, but for what the caller has caused itself' }),
  heading('Last hour', { number: true }),
  heading('Cost today', { number: true }),
  heading('Budget'),
]);

/**
 * Shows callers and groups that have called lately, with what is left of their budgets.
 *
 * @param {Pick<ShownSections, 'callers' | 'budgets'>} sections
 */
export function showCallers({ callers, budgets }) {
  const section = byId('callers');
  if (section.firstChild === null) fill(section, element('h2', { id: 'callers-title' }, 'Callers'), shown);
  section.hidden = callers.length === 0;
  const groups = new Set(
    budgets.filter(({ account }) => account.startsWith('group:')).map(({ account }) => account.slice(6)),
  );
  /** @type {readonly Row[]} */
  const rows = [
    ...[...groups].map((name) => ({
      name,
      isGroup: true,
      caller: undefined,
      budgets: budgets.filter(({ account }) => account === `group:${name}`),
    })),
    ...callers.map((caller) => ({
      name: caller.name,
      isGroup: false,
      caller,
      budgets: budgets.filter(({ account }) => account === `caller:${caller.name}`),
    })),
  ];
  keep(body, rows, ({ name, isGroup }) => `${isGroup ? 'group' : 'caller'}:${name}`, callerRow);
}

/** @param {Row} row @returns {HTMLTableRowElement} */
function callerRow({ name, isGroup, caller, budgets }) {
  return element(
    'tr',
    { role: 'row' },
    cell(
      '',
      'target',
      element('span', { class: 'name', title: name }, name),
      isGroup && ' ',
      isGroup && element('span', { class: 'dim' }, 'group'),
    ),
    cell('group', '', caller?.group ?? element('span', { class: 'dim none' }, '–')),
    cell('a minute', 'number', caller === undefined ? '' : countOrQuiet(caller.lastMinute)),
    cell(
      'failed',
      `number${caller !== undefined && caller.failedLastMinute > 0 ? ' bad' : ''}`,
      caller === undefined ? '' : countOrQuiet(caller.failedLastMinute),
    ),
    cell('last hour', 'number', caller === undefined ? '' : count(caller.lastHour)),
    cell('cost today', 'number', caller === undefined ? '' : dayCost(caller.costToday)),
    cell('', 'budgets', ...budgets.map(budgetBar)),
  );
}

/** @param {Budget} budget @returns {HTMLElement} */
function budgetBar({ per, nanoUsd, spentNanoUsd, renewsAtMs }) {
  const share = nanoUsd === 0 ? 1 : spentNanoUsd / nanoUsd;
  const level = share >= 1 ? 'bad' : share >= 0.8 ? 'warn' : '';
  const left = Math.max(0, nanoUsd - spentNanoUsd);
  return element(
    'div',
    { class: `budget ${level}` },
    element('meter', { min: 0, max: 1, value: Math.min(1, share), 'aria-label': `spent of the budget per ${per}` }),
    element(
      'span',
      {},
      share >= 1 ? `spent, ${usd(nanoUsd)} per ${per}` : `${usd(left)} left of ${usd(nanoUsd)} per ${per}`,
    ),
    element('span', { class: 'dim' }, 'renews in ', moment(renewsAtMs, 'until')),
  );
}
