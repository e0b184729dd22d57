/** Returns the name of a value of an enum of the contract; `OTHER` for one that is newer than this program. */
export function enumName<Name extends string>(names: Readonly<Record<Name, number>>, value: number): string {
  return Object.entries(names).find(([, number]) => number === value)?.[0] ?? 'OTHER';
}
