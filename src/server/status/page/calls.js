/** @import { ShownSections } from '../shown-sections.ts' */
import { byId, cell, element, fill, heading, keep, table } from './dom.js';
import { duration, moment, usd } from './format.js';
import { meaningOf } from './reasons.js';
import { trailLink } from './trail.js';

/** @typedef {ShownSections['calls'][number]} Call */

const { table: shown, body } = table('Calls in trouble', [
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
    const note = element('span', { class: 'dim' }, 'the last that failed, or that the first attempt did not answer');
    fill(section, element('h2', { id: 'calls-title' }, 'Calls in trouble ', note), shown);
  }
  section.hidden = calls.length === 0;
  keep(body, calls, ({ requestId, startedAtMs }) => `${startedAtMs} ${requestId}`, callRow);
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
    cell('caller', '', caller ?? element('span', { class: 'dim' }, '–')),
    cell('asked for', 'model', requestedModel || element('span', { class: 'dim' }, 'any')),
    cell('', 'why', ...result),
    cell('took', 'number', duration(durationMs)),
    cell('cost', 'number', nanoUsd === undefined ? element('span', { class: 'dim' }, '–') : usd(nanoUsd)),
  );
}
