/** @import { ShownSections } from '../shown-sections.ts' */
/** @import { FailureGroup } from '../../port/shown/recent-history.ts' */
import { byId, cell, element, fill, heading, keep, table } from './dom.js';
import { count, countOrQuiet, duration, moment, usd } from './format.js';
import { meaningOf } from './reasons.js';
import { spark } from './spark.js';
import { trailLink } from './trail.js';

const NOTHING = Array.from({ length: 60 }, () => 0);

const failureTable = table('What failed in the last hour', [
  heading('Times', { number: true, hint: 'attempts, or calls that no target was asked for' }),
  heading('Last hour'),
  heading('Where'),
  heading('Why'),
  heading('Ended calls', {
    number: true,
    hint: 'callers got an error; the others were answered by a repeat or another target',
  }),
  heading('Last', { number: true }),
  heading('Example'),
]);
const none = element('p', { class: 'dim' }, 'Nothing.');
const more = element('button', { type: 'button', class: 'more', onclick: () => toggleAll() });

/** So many are shown before somebody asks for all. */
const MOST_ROWS = 12;
let showsAll = false;
let again = () => {};

function toggleAll() {
  showsAll = !showsAll;
  again();
}

/** @param {readonly FailureGroup[]} failures - of the last hour */
export function showFailures(failures) {
  const section = byId('failures');
  if (section.firstChild === null)
    fill(
      section,
      element('h2', { id: 'failures-title' }, 'What failed in the last hour'),
      failureTable.table,
      more,
      none,
    );
  again = () => showFailures(failures);
  section.hidden = false;
  more.hidden = failures.length <= MOST_ROWS;
  fill(more, showsAll ? 'Show fewer' : `Show all ${count(failures.length)}`);
  failureTable.table.hidden = failures.length === 0;
  none.hidden = !failureTable.table.hidden;
  // What callers have caused themselves is for nobody here to mend.
  const ordered = failures.toSorted((one, other) => Number(other.isOurs) - Number(one.isOurs));
  keep(
    failureTable.body,
    showsAll ? ordered : ordered.slice(0, MOST_ROWS),
    ({ target, reason, code, httpStatus }) => JSON.stringify([target, reason, code, httpStatus]),
    failureRow,
  );
}

/** @param {FailureGroup} failure @returns {HTMLTableRowElement} */
function failureRow({
  target,
  reason,
  code,
  httpStatus,
  count: times,
  isOurs,
  endedCalls,
  minutes,
  lastAtMs,
  lastRequestId,
}) {
  const codes = [httpStatus, code].filter((part) => part !== undefined).join(' ');
  return element(
    'tr',
    { role: 'row', class: isOurs ? undefined : 'quiet' },
    cell('times', 'number', count(times)),
    cell(
      '',
      'hour',
      spark(isOurs ? minutes : NOTHING.map((_, index) => minutes[index] ?? 0), isOurs ? minutes : NOTHING, 'failures'),
    ),
    cell('', 'where', target ?? element('span', { class: 'dim' }, isOurs ? 'gateway' : 'caller')),
    cell(
      '',
      'why',
      meaningOf(reason),
      ' ',
      element('code', { class: 'dim' }, codes === '' ? reason : `${reason} ${codes}`),
    ),
    cell('ended calls', `number${isOurs && endedCalls > 0 ? ' bad' : ''}`, countOrQuiet(endedCalls)),
    cell('last', 'number', moment(lastAtMs, 'ago')),
    cell(
      'example',
      'id',
      lastRequestId === '' ? element('span', { class: 'dim' }, 'under way') : trailLink(lastRequestId),
    ),
  );
}

/** @typedef {ShownSections['calls'][number]} Call */

const callTable = table('Calls in trouble', [
  heading('Ended', { number: true }),
  heading('Request'),
  heading('Method'),
  heading('Caller'),
  heading('Asked for'),
  heading('Result'),
  heading('Took', { number: true }),
  heading('Cost', { number: true }),
]);

/** @param {readonly Call[]} calls - those that failed, or needed more than one attempt; the last one first */
export function showCalls(calls) {
  const section = byId('calls');
  if (section.firstChild === null) {
    const note = element(
      'span',
      { class: 'dim' },
      'the last that failed, or were answered after an attempt had failed',
    );
    fill(section, element('h2', { id: 'calls-title' }, 'Calls in trouble ', note), callTable.table);
  }
  section.hidden = calls.length === 0;
  keep(callTable.body, calls, ({ requestId, startedAtMs }) => `${startedAtMs} ${requestId}`, callRow);
}

/** @param {Call} call @returns {HTMLTableRowElement} */
function callRow({
  requestId,
  startedAtMs,
  durationMs,
  method,
  caller,
  requestedModel,
  reason,
  target,
  model,
  nanoUsd,
}) {
  const result =
    reason === undefined
      ? [`answered by ${target ?? ''}`, ' ', element('span', { class: 'dim' }, model)]
      : [element('span', { class: 'bad' }, meaningOf(reason)), ' ', element('code', { class: 'dim' }, reason)];
  return element(
    'tr',
    { role: 'row' },
    cell('ended', 'number', moment(startedAtMs + durationMs, 'ago')),
    cell('request', 'id', trailLink(requestId)),
    cell('', '', method),
    cell('caller', 'who', caller ?? element('span', { class: 'dim none' }, '–')),
    cell('asked for', 'model', requestedModel || element('span', { class: 'dim' }, 'any')),
    cell('', 'why', ...result),
    cell('took', 'number', duration(durationMs)),
    cell('cost', 'number', nanoUsd === undefined ? element('span', { class: 'dim none' }, '–') : usd(nanoUsd)),
  );
}
