import { formatNano } from '../../core/money.ts';

/** Writes a whole number with commas between thousands: `1,234,567`. */
export function shownCount(count: bigint | number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** Writes nano-USD to the last of them, with two decimals at least and commas: `$1,234.50`. */
export function shownMoney(nanoUsd: bigint): string {
  const [whole = '', fraction = ''] = formatNano(nanoUsd).split('.');
  return `$${shownCount(BigInt(whole))}.${fraction.padEnd(2, '0')}`;
}
