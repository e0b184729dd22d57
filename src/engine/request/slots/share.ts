/**
 * Whether a key that holds `held` of something may take one more of the `free` ones (engine rule A5). A key gets one for as long
 * as what it holds is less than `free * maxShare / (100 - maxShare)`: alone it comes to hold `maxShare` percent of all, several
 * that want more than there is come to hold the same each, and some are left for whoever comes next.
 *
 * This is the dynamic threshold of Choudhury and Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet Switches"
 * (IEEE/ACM Transactions on Networking 6, 1998): fair without a list of who might come, where nothing given can be taken back.
 *
 * @param maxShare percent, a whole number from 1 to 100; at 100 whatever is free may be taken
 */
export function mayTake(held: number, free: number, maxShare: number): boolean {
  // Whole numbers alone, so that the last place is not decided by a rounding.
  return held * (100 - maxShare) < free * maxShare;
}
