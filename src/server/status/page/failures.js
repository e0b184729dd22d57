/** @import { FailureGroup } from '../../port/recent-history.ts' */
import { byId, cell, element, fill, heading, keep, table } from './dom.js';
import { count, countOrQuiet, moment } from './format.js';
import { meaningOf } from './reasons.js';
import { spark } from './spark.js';
import { trailLink } from './trail.js';

const NOTHING = Array.from({ length: 60 }, () => 0);

const { table: shown, body } = table('What failed in the last hour', [
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

/** @param {readonly FailureGroup[]} failures - of the last hour */
export function showFailures(failures) {
  const section = byId('failures');
  if (section.firstChild === null)
    fill(section, element('h2', { id: 'failures-title' }, 'What failed in the last hour'), shown, none);
  section.hidden = false;
  shown.hidden = failures.length === 0;
  none.hidden = !shown.hidden;
  // What callers have caused themselves is for nobody here to mend.
  const ordered = failures.toSorted((one, other) => Number(other.isOurs) - Number(one.isOurs));
  keep(
    body,
    ordered,
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
    cell('example', 'id', trailLink(lastRequestId)),
  );
}
