/** @import { RecentAttempt, RecentCall } from '../../port/shown/recent-history.ts' */
/** @import { TrailAnswer } from '../serve-status.ts' */
import { byId, element, fill } from './dom.js';
import { count, duration, instant, usd } from './format.js';
import { meaningOf } from './reasons.js';

const PREFIX = '#request=';

/** @param {string} requestId @returns {HTMLElement} a link to what was tried for it */
export function trailLink(requestId) {
  return element('a', { href: `${PREFIX}${encodeURIComponent(requestId)}`, title: requestId }, requestId);
}

/** Opens trails as the address says, and searches for them. */
export function openTrails() {
  const dialog = byId('trail');
  const search = byId('search');
  const input = byId('request-id');
  if (!(dialog instanceof HTMLDialogElement) || !(input instanceof HTMLInputElement)) return;
  search.addEventListener('submit', (event) => {
    event.preventDefault();
    const id = input.value.trim();
    if (id !== '') location.hash = `${PREFIX}${encodeURIComponent(id)}`;
    // The same once more.
    if (id !== '' && !dialog.open) void show();
  });
  addEventListener('keydown', (event) => {
    if (
      event.key !== '/' ||
      event.target instanceof HTMLInputElement ||
      event.target instanceof HTMLSelectElement ||
      dialog.open
    )
      return;
    event.preventDefault();
    input.focus();
  });
  /** The part of the address whose request is shown. */
  let shownHash = '';
  dialog.addEventListener('close', () => {
    // It is told a moment later: another request may have been asked for meanwhile.
    if (location.hash === shownHash) history.replaceState(null, '', location.pathname);
  });
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  const show = async () => {
    if (!location.hash.startsWith(PREFIX)) return dialog.close();
    shownHash = location.hash;
    const id = idOf(location.hash.slice(PREFIX.length));
    const close = element('button', { type: 'button', onclick: () => dialog.close() }, 'Close');
    const head = element(
      'div',
      { class: 'head' },
      element('h2', { id: 'trail-title' }, 'Request ', element('code', {}, id)),
      close,
    );
    fill(dialog, head, element('p', { class: 'dim' }, 'Looking…'));
    if (!dialog.open) dialog.showModal();
    const shown = await trailOf(id);
    // Another may have been asked for meanwhile.
    if (dialog.contains(head)) fill(dialog, head, ...shown);
  };
  addEventListener('hashchange', () => void show());
  void show();
}

/** @param {string} text - as the address has it @returns {string} the request id in it; where somebody has written it by hand, as it is */
function idOf(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @param {string} id @returns {Promise<readonly HTMLElement[]>} */
async function trailOf(id) {
  try {
    const response = await fetch(`trail?request_id=${encodeURIComponent(id)}`);
    if (!response.ok) return [element('p', { class: 'bad', role: 'alert' }, 'This is no request id.')];
    /** @type {TrailAnswer} */
    const answer = await response.json();
    if (answer.calls.length > 0) return answer.calls.map((call) => callView(call, answer.source));
    const where = answer.isLedgerGone
      ? ', and the ledger cannot be asked'
      : answer.source === 'ledger'
        ? ', nor in the ledger'
        : '';
    return [element('p', { role: 'alert' }, `It is not among the last calls of this process${where}.`)];
  } catch {
    return [element('p', { class: 'bad', role: 'alert' }, 'The gateway cannot be reached.')];
  }
}

/** @param {RecentCall} call @param {string} source @returns {HTMLElement} */
function callView(call, source) {
  const {
    method,
    startedAtMs,
    durationMs,
    caller,
    group,
    requestedModel,
    status,
    reason,
    target,
    model,
    nanoUsd,
    firstOutputMs,
    labels,
    attemptsLeftOut,
    traceId,
  } = call;
  const result =
    reason === undefined
      ? target === undefined
        ? element('span', {}, 'not known: the ledger has attempts alone')
        : element('span', {}, `answered by ${target}${model === undefined ? '' : ` with ${model}`}`)
      : element(
          'span',
          {},
          element('span', { class: 'bad' }, meaningOf(reason)),
          ' ',
          element('code', {}, `${status} ${reason}`),
        );
  /** @type {readonly (readonly [string, import('./dom.js').Child])[]} */
  const facts = [
    ['Result', result],
    ['Came', `${instant(startedAtMs)}, ${method}`],
    [
      'Took',
      `${duration(durationMs)}${firstOutputMs === undefined ? '' : `, the first output after ${duration(firstOutputMs)}`}`,
    ],
    ['Caller', caller === undefined ? undefined : `${caller}${group === undefined ? '' : `, of ${group}`}`],
    ['Asked for', requestedModel || undefined],
    ['Cost', nanoUsd === undefined ? 'not known' : usd(nanoUsd)],
    [
      'Labels',
      Object.entries(labels)
        .map(([name, value]) => `${name}=${value}`)
        .join(', ') || undefined,
    ],
    ['Trace', traceId],
    ['From', source === 'ledger' ? 'the ledger: without waits, and what was passed over' : undefined],
  ];
  const whole = Math.max(durationMs, ...call.attempts.map(({ afterMs, durationMs: took }) => afterMs + took), 1);
  return element(
    'article',
    {},
    element(
      'dl',
      { class: 'facts' },
      ...facts.flatMap(([name, fact]) =>
        fact === undefined ? [] : [element('dt', {}, name), element('dd', {}, fact)],
      ),
    ),
    element(
      'ol',
      { class: 'attempts', 'aria-label': 'Attempts' },
      ...call.attempts.map((attempt) => attemptView(attempt, whole)),
    ),
    attemptsLeftOut > 0 &&
      element('p', { class: 'dim' }, `and ${count(attemptsLeftOut)} more, most of them passed over`),
    call.attempts.length === 0 && element('p', { class: 'dim' }, 'No target was asked.'),
  );
}

/** @param {RecentAttempt} attempt @param {number} wholeMs - of the call @returns {HTMLElement} */
function attemptView(attempt, wholeMs) {
  const {
    kind,
    target,
    model,
    reportedModel,
    outcome,
    httpStatus,
    code,
    afterMs,
    waitMs = 0,
    durationMs,
    firstOutputMs,
    phase,
    circuit,
    inputTokens,
    outputTokens,
    nanoUsd,
    providerRequestId,
  } = attempt;
  const isSkipped = kind === 'SKIPPED';
  const isOk = outcome === 'OK';
  const bar = element('div', { class: `bar ${isOk ? 'ok' : 'bad'}` });
  bar.style.left = `${(100 * afterMs) / wholeMs}%`;
  bar.style.width = `${(100 * durationMs) / wholeMs}%`;
  const waited = element('div', { class: 'bar waited' });
  waited.style.left = `${(100 * Math.max(0, afterMs - waitMs)) / wholeMs}%`;
  waited.style.width = `${(100 * waitMs) / wholeMs}%`;
  const why = [httpStatus, code].filter((part) => part !== undefined).join(' ');
  const tokens =
    inputTokens === undefined && outputTokens === undefined
      ? undefined
      : `${inputTokens ?? '?'} + ${outputTokens ?? '?'} tokens`;
  const beside = [
    waitMs > 0 && `waited ${duration(waitMs)}`,
    firstOutputMs !== undefined && `first output after ${duration(firstOutputMs)}`,
    !isOk && phase !== undefined && `ended ${phase.toLowerCase()}`,
    circuit !== undefined && circuit !== 'CLOSED' && `circuit ${circuit.toLowerCase().replace('_', ' ')}`,
    tokens,
    nanoUsd !== undefined && usd(nanoUsd),
    reportedModel !== undefined && `as ${reportedModel}`,
    providerRequestId !== undefined && `provider's id ${providerRequestId}`,
  ].filter((part) => part !== undefined && part !== false);
  return element(
    'li',
    { class: isSkipped ? 'skipped' : undefined },
    element(
      'div',
      { class: 'line' },
      element('span', { class: 'kind' }, kind.toLowerCase()),
      element('b', {}, target),
      element('span', { class: 'model' }, model),
      element('span', { class: `outcome ${isOk ? '' : isSkipped ? 'dim' : 'bad'}` }, isOk ? 'ok' : meaningOf(outcome)),
      !isOk && element('code', { class: 'dim' }, why === '' ? outcome : `${outcome} ${why}`),
      element('span', { class: 'took' }, isSkipped ? 'passed over' : duration(durationMs)),
    ),
    !isSkipped && element('div', { class: 'track', 'aria-hidden': 'true' }, waitMs > 0 && waited, bar),
    beside.length > 0 && element('div', { class: 'dim beside' }, beside.join(' · ')),
  );
}
