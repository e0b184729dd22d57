/** @import { HistorySection, ShownSections, TargetSection } from '../shown-sections.ts' */
/** @import { Sections } from './live.js' */
import { showCallers } from './callers.js';
import { byId, element, fill } from './dom.js';
import { gatewayTime, instant, tellTime } from './format.js';
import { follow } from './live.js';
import { showEmpty, showFigures, showState } from './summary.js';
import { showTargets } from './targets.js';
import { openTrails } from './trail.js';
import { showCalls, showFailures } from './trouble.js';

/** @type {string | undefined} */
let version;
/** @type {boolean | undefined} */
let wasLive;

/**
 * What was received is of the form that the gateway of the same version sends.
 *
 * @param {Sections} sections
 * @returns {Partial<ShownSections>}
 */
function shownOf(sections) {
  return Object.fromEntries(sections);
}

/** @param {Sections} sections @param {Partial<ShownSections>} shown */
function targetsOf(sections, { order = [], failures = [], process }) {
  return order.flatMap((name) => {
    const target = /** @type {TargetSection | undefined} */ (sections.get(`target:${name}`));
    const history = /** @type {HistorySection | undefined} */ (sections.get(`history:${name}`));
    if (target === undefined || history === undefined) return [];
    const own = failures.filter((failure) => failure.target === name);
    return [{ ...target, history, failures: own, canOperate: process?.canOperate === true }];
  });
}

/** @param {Sections} sections @param {ReadonlySet<string>} changed @param {number} nowMs */
function show(sections, changed, nowMs) {
  tellTime(nowMs);
  const shown = shownOf(sections);
  // A page of another version may not know what it is told.
  if (version !== undefined && shown.process?.version !== version) return location.reload();
  version = shown.process?.version;
  const has = (/** @type {(keyof ShownSections)[]} */ ...keys) => keys.some((key) => changed.has(key));
  const hasTargets = [...changed].some((key) => key.startsWith('target:') || key.startsWith('history:'));
  const targets = hasTargets || has('order', 'process', 'load', 'failures') ? targetsOf(sections, shown) : undefined;
  if (targets !== undefined) {
    showState(shown, targets);
    showTargets(targets);
  }
  if (has('process', 'load', 'costs')) showFigures(shown);
  if (has('process', 'load', 'order')) showEmpty(shown);
  if (has('failures') && shown.failures !== undefined) showFailures(shown.failures);
  if (has('calls') && shown.calls !== undefined) showCalls(shown.calls);
  const { callers, budgets } = shown;
  if (has('callers', 'budgets') && callers !== undefined && budgets !== undefined) showCallers({ callers, budgets });
  // What was just made says what time it is.
  tellTime(nowMs);
}

/** @param {boolean} isLive */
function showLink(isLive) {
  if (isLive === wasLive) return;
  wasLive = isLive;
  document.body.classList.toggle('stale', !isLive);
  const link = byId('link');
  link.className = isLive ? 'ok' : 'bad';
  const since = gatewayTime();
  if (isLive) fill(link, 'live');
  else if (since === 0) fill(link, 'connecting');
  else fill(link, 'no connection since ', instant(since).slice(11));
}

/** Lets the theme be chosen: that of the system, light or dark. */
function chooseTheme() {
  const button = byId('theme');
  const themes = ['auto', 'light', 'dark'];
  const say = () =>
    fill(button, element('span', { class: 'hidden' }, 'Theme: '), document.documentElement.dataset['theme'] ?? 'auto');
  button.addEventListener('click', () => {
    const { dataset } = document.documentElement;
    dataset['theme'] = themes[(themes.indexOf(dataset['theme'] ?? 'auto') + 1) % themes.length] ?? 'auto';
    try {
      localStorage.setItem('understudy-theme', dataset['theme']);
    } catch {
      // It holds for this page alone.
    }
    say();
  });
  say();
}

chooseTheme();
openTrails();
fill(
  byId('foot'),
  element('a', { href: 'metrics' }, 'metrics'),
  ' · ',
  element('a', { href: 'readyz' }, 'readyz'),
  ' · ',
  element('span', {}, 'times are UTC; all of it is of this process, but for costs of the ledger'),
);
follow({ changed: show, linked: showLink });
