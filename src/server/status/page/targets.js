/** @import { HistorySection, TargetSection } from '../shown-sections.ts' */
/** @import { FailureGroup } from '../../port/shown/recent-history.ts' */
import { controlsOf } from './controls.js';
import { byId, cell, element, fill, heading, keep, table } from './dom.js';
import { count, countOrQuiet, dayCost, duration, moment, percent } from './format.js';
import { meaningOf } from './reasons.js';
import { spark } from './spark.js';
import { stateOf, successOf, troubleOf } from './target-state.js';

/** So many are shown before somebody asks for all: those in trouble, then those with most to do. */
const MOST_ROWS = 25;

/** @typedef {TargetSection & { history: HistorySection, failures: readonly FailureGroup[] | undefined, canOperate: boolean }} ShownTarget */

/** @type {readonly [title: string, of: ((target: ShownTarget) => number | string) | undefined, options?: { number?: boolean, hint?: string }][]} */
const COLUMNS = [
  ['State', (target) => -troubleOf(target)],
  ['Target', (target) => target.name],
  ['Last hour', undefined, { hint: 'attempts of each minute; what failed is red' }],
  ['A minute', (target) => -target.lastMinute, { number: true, hint: 'attempts that ended within the last minute' }],
  ['Success', (target) => successOf(target) ?? 2, { number: true, hint: 'of the last minute' }],
  ['p50', (target) => -(target.p50Ms ?? 0), { number: true, hint: 'time of a successful attempt; half are faster' }],
  ['p95', (target) => -(target.p95Ms ?? 0), { number: true, hint: 'time of a successful attempt; 95 % are faster' }],
  [
    'First p95',
    (target) => -(target.firstOutputP95Ms ?? 0),
    { number: true, hint: 'time to the first output; 95 % are faster' },
  ],
  ['In flight', (target) => -target.inFlight, { number: true }],
  ['Cost today', (target) => -target.costToday.nanoUsd, { number: true, hint: 'since midnight UTC' }],
];

/** @type {Set<string>} */
const opened = new Set();
let sortedBy = '';
let showsAll = false;
let wanted = '';
let again = () => {};

const headings = COLUMNS.map(([title, of, options]) => {
  const made = heading(title, options);
  if (of === undefined) return made;
  const sort = () => {
    sortedBy = sortedBy === title ? '' : title;
    for (const other of headings) other.removeAttribute('aria-sort');
    if (sortedBy !== '') made.setAttribute('aria-sort', title === 'Target' ? 'ascending' : 'descending');
    again();
  };
  fill(made, element('button', { type: 'button', class: 'sort', onclick: sort }, title));
  return made;
});
const { table: shown, body } = table('Targets', headings);
const filter = element('input', {
  type: 'search',
  placeholder: 'Filter',
  'aria-label': 'Filter targets',
  oninput: () => filtered(),
});
const more = element('button', { type: 'button', class: 'more', onclick: () => toggleAll() });
const title = element('h2', { id: 'targets-title' });

function filtered() {
  wanted = filter.value.trim().toLowerCase();
  again();
}

function toggleAll() {
  showsAll = !showsAll;
  again();
}

/**
 * Shows the targets: in the order of the configuration, which is that of the chain, unless there are many or somebody sorts them.
 *
 * @param {readonly ShownTarget[]} targets
 */
export function showTargets(targets) {
  again = () => showTargets(targets);
  const section = byId('targets');
  if (section.firstChild === null) fill(section, element('div', { class: 'head' }, title, filter), shown, more);
  section.hidden = targets.length === 0;
  filter.hidden = targets.length <= 8;
  const found = targets.filter(({ name, provider }) => `${name} ${provider}`.toLowerCase().includes(wanted));
  const isMany = found.length > MOST_ROWS && !showsAll;
  const of = COLUMNS.find(([name]) => name === sortedBy)?.[1];
  /** @type {(target: ShownTarget) => number | string} */
  const rank = of ?? ((target) => -troubleOf(target) * 1e9 - target.lastMinute);
  const ordered =
    of === undefined && !isMany
      ? found
      : found.toSorted((one, other) => (rank(one) < rank(other) ? -1 : rank(one) > rank(other) ? 1 : 0));
  const rows = isMany ? ordered.slice(0, MOST_ROWS) : ordered;
  fill(
    title,
    'Targets ',
    element(
      'span',
      { class: 'dim' },
      rows.length === targets.length ? count(targets.length) : `${count(rows.length)} of ${count(targets.length)}`,
    ),
  );
  more.hidden = found.length <= MOST_ROWS;
  fill(more, showsAll ? 'Show fewer' : `Show all ${count(found.length)}`);
  keep(
    body,
    rows.flatMap((target) => {
      const isOpen = opened.has(target.name);
      const row = { target, isOpen, isDetail: false };
      return isOpen ? [row, { target, isOpen, isDetail: true }] : [row];
    }),
    ({ target, isDetail }) => `${isDetail ? 'detail' : 'row'} ${target.name}`,
    ({ target, isDetail }) => (isDetail ? detailRow(target) : targetRow(target)),
  );
}

/** @param {ShownTarget} target @returns {HTMLTableRowElement} */
function targetRow(target) {
  const { name, provider, history, lastMinute, inFlight, costToday } = target;
  const success = successOf(target);
  const [level, state, until] = stateOf(target);
  const isOpen = opened.has(name);
  const toggle = () => {
    if (!opened.delete(name)) opened.add(name);
    again();
  };
  const button = element(
    'button',
    { type: 'button', class: 'name', 'aria-expanded': String(isOpen), onclick: toggle, title: name },
    name,
  );
  const minutes = [...history.minutes, target.thisMinute];
  const failed = [...history.failedMinutes, target.failedThisMinute];
  const low = success === undefined || success >= 0.98 ? '' : success < 0.9 ? ' bad' : ' warn';
  return element(
    'tr',
    { role: 'row' },
    cell(
      '',
      `state ${level}`,
      element('span', { class: 'mark', 'aria-hidden': 'true' }),
      state,
      until !== undefined && ' ',
      until !== undefined && moment(until, 'until'),
    ),
    cell('', 'target', button, ' ', name === provider ? undefined : element('span', { class: 'dim' }, provider)),
    cell('', 'hour', spark(minutes, failed, 'attempts')),
    cell('a minute', 'number', countOrQuiet(lastMinute)),
    cell('success', `number${low}`, success === undefined ? dash() : percent(success)),
    cell('p50', 'number', target.p50Ms === undefined ? dash() : duration(target.p50Ms)),
    cell('p95', 'number', target.p95Ms === undefined ? dash() : duration(target.p95Ms)),
    cell('first p95', 'number', target.firstOutputP95Ms === undefined ? dash() : duration(target.firstOutputP95Ms)),
    cell('in flight', 'number', countOrQuiet(inFlight)),
    cell('cost today', 'number', dayCost(costToday)),
  );
}

function dash() {
  return element('span', { class: 'dim none' }, '–');
}

/** @param {ShownTarget} target @returns {HTMLTableRowElement} */
function detailRow(target) {
  const { name, circuits, failures = [], lastError, canOperate } = target;
  const listed = circuits.map(({ model, state, reopensAtMs }) =>
    element(
      'li',
      {},
      element(
        'span',
        { class: state === 'CLOSED' ? 'dim' : state === 'OPEN' ? 'bad' : 'warn' },
        state.toLowerCase().replace('_', ' '),
      ),
      ' ',
      element('code', {}, model),
      reopensAtMs !== undefined && ' probes in ',
      reopensAtMs !== undefined && moment(reopensAtMs, 'until'),
    ),
  );
  const why = failures.map(({ reason, code, count: times }) =>
    element(
      'li',
      {},
      element('b', {}, count(times)),
      ` ${meaningOf(reason)} `,
      element('code', {}, code === undefined ? reason : `${reason} ${code}`),
    ),
  );
  return element(
    'tr',
    { role: 'row', class: 'detail' },
    element(
      'td',
      { role: 'cell', colspan: COLUMNS.length },
      element(
        'div',
        { class: 'columns' },
        element(
          'div',
          {},
          element('h3', {}, 'Circuits'),
          listed.length === 0 ? element('p', { class: 'dim' }, 'No call has come yet.') : element('ul', {}, ...listed),
        ),
        element(
          'div',
          {},
          element('h3', {}, 'Failures of the last hour'),
          why.length === 0
            ? element(
                'p',
                { class: 'dim' },
                lastError === undefined ? 'None.' : `None; the last one before: ${lastError}`,
              )
            : element('ul', {}, ...why),
        ),
        canOperate &&
          element(
            'div',
            {},
            element('h3', {}, 'Operate'),
            controlsOf(
              name,
              circuits.map(({ model }) => model),
            ),
          ),
      ),
    ),
  );
}
