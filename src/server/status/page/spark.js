import { count } from './format.js';

const SVG = 'http://www.w3.org/2000/svg';
const HEIGHT = 20;
const BAR = 2;

/**
 * Draws the minutes of the last hour: all in grey, what failed in red on top of it. The highest minute is as high as there is room.
 *
 * @param {readonly number[]} all
 * @param {readonly number[]} failed
 * @param {string} what - what is counted, for who does not see it
 * @returns {SVGElement}
 */
export function spark(all, failed, what) {
  const most = Math.max(1, ...all);
  const picture = document.createElementNS(SVG, 'svg');
  const width = all.length * BAR;
  picture.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
  picture.setAttribute('width', String(width));
  picture.setAttribute('height', String(HEIGHT));
  picture.setAttribute('class', 'spark');
  picture.setAttribute('preserveAspectRatio', 'none');
  picture.setAttribute('role', 'img');
  const failures = sum(failed);
  picture.setAttribute(
    'aria-label',
    `${count(sum(all))} ${what} in the last hour${failures === 0 ? '' : `, ${count(failures)} failed`}`,
  );
  const ground = document.createElementNS(SVG, 'path');
  ground.setAttribute('class', 'ground');
  ground.setAttribute('d', `M0 ${HEIGHT - 0.5}H${width}`);
  picture.append(ground, bars('all', all, most), bars('failed', failed, most));
  return picture;
}

/**
 * @param {string} kind
 * @param {readonly number[]} counts
 * @param {number} most
 * @returns {SVGElement}
 */
function bars(kind, counts, most) {
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('class', kind);
  const parts = counts.map((amount, index) => {
    if (amount === 0) return '';
    const high = Math.max(1.5, Math.round((amount / most) * HEIGHT * 10) / 10);
    return `M${index * BAR} ${HEIGHT}v${-high}h${BAR - 0.4}v${high}z`;
  });
  path.setAttribute('d', parts.join(''));
  return path;
}

/** @param {readonly number[]} counts @returns {number} */
function sum(counts) {
  return counts.reduce((total, amount) => total + amount, 0);
}
