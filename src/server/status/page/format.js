/** @import { DayCost } from '../../port/shown/recent-history.ts' */
import { element } from './dom.js';

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const CENTS = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const SMALL = new Intl.NumberFormat('en', { maximumSignificantDigits: 2 });
const ONE_PLACE = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** @param {number} count @returns {string} */
export function count(count) {
  return WHOLE.format(count);
}

/**
 * A number where there is something to see; a quiet 0 otherwise.
 *
 * @param {number} amount
 * @returns {HTMLElement | string}
 */
export function countOrQuiet(amount) {
  return amount === 0 ? element('span', { class: 'dim' }, '0') : count(amount);
}

/** @param {number | undefined} ms @returns {string} */
export function duration(ms) {
  if (ms === undefined) return '–';
  if (ms < 9.95) return `${ONE_PLACE.format(ms)} ms`;
  if (ms < SECOND_MS) return `${WHOLE.format(ms)} ms`;
  if (ms < MINUTE_MS) return `${ONE_PLACE.format(ms / SECOND_MS)} s`;
  const seconds = Math.round(ms / SECOND_MS);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** @param {number} nanoUsd @returns {string} */
export function usd(nanoUsd) {
  const amount = nanoUsd / 1e9;
  if (amount === 0) return '$0';
  if (Math.abs(amount) >= 1_000) return `$${WHOLE.format(amount)}`;
  if (Math.abs(amount) >= 0.01) return `$${CENTS.format(amount)}`;
  return `$${SMALL.format(amount)}`;
}

/**
 * What something cost. What is not known is not 0.
 *
 * @param {DayCost} cost
 * @returns {HTMLElement | string}
 */
export function dayCost({ nanoUsd, unknownAttempts }) {
  if (unknownAttempts === 0) return nanoUsd === 0 ? element('span', { class: 'dim' }, '$0') : usd(nanoUsd);
  const title = `and ${count(unknownAttempts)} attempts whose cost is not known`;
  return element(
    'span',
    { title },
    `${nanoUsd === 0 ? '' : `${usd(nanoUsd)} + `}?`,
    element('span', { class: 'hidden' }, ` ${title}`),
  );
}

/** @param {number} share - 0 to 1 @returns {string} rounded down, so that 100 % is all */
export function percent(share) {
  const tenths = Math.floor(share * 1_000) / 10;
  return `${tenths >= 100 || tenths === 0 ? tenths : ONE_PLACE.format(tenths)} %`;
}

/** @param {number} ms @returns {string} */
function age(ms) {
  if (ms < SECOND_MS) return 'now';
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)} h ${Math.floor((ms % HOUR_MS) / MINUTE_MS)} min`;
  return `${Math.floor(ms / DAY_MS)} d ${Math.floor((ms % DAY_MS) / HOUR_MS)} h`;
}

/** @param {number} atMs @returns {string} in UTC, as logs and colleagues elsewhere have it */
export function instant(atMs) {
  return new Date(atMs)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC');
}

/**
 * Shows how long ago something was, or how long it is until then; {@link tellTime} keeps it so.
 *
 * @param {number} atMs
 * @param {'ago' | 'until'} kind
 * @returns {HTMLElement}
 */
export function moment(atMs, kind) {
  const made = element('time', { datetime: new Date(atMs).toISOString(), title: instant(atMs), 'data-kind': kind });
  made.textContent = momentText(atMs, kind);
  return made;
}

let nowMs = 0;

/** @param {number} atMs @param {string} kind @returns {string} */
function momentText(atMs, kind) {
  if (kind === 'ago') return age(nowMs - atMs);
  return atMs - nowMs < SECOND_MS ? '0 s' : age(atMs - nowMs);
}

/** @param {number} at - what time it is for the gateway, in milliseconds since the epoch */
export function tellTime(at) {
  nowMs = at;
  for (const shown of document.querySelectorAll('time[data-kind]')) {
    const text = momentText(Date.parse(shown.getAttribute('datetime') ?? ''), shown.getAttribute('data-kind') ?? '');
    if (shown.textContent !== text) shown.textContent = text;
  }
}

/** @returns {number} what time it is for the gateway, in milliseconds since the epoch */
export function gatewayTime() {
  return nowMs;
}
