/** Everything that talks to the node, as one piece: it is fetched once, after the first view is there. */
export * as blocks from "./blocks";
export { duties } from "./duties";
export { earned, firstBlockSince } from "./earned";
export { connect, patiently } from "./link";
export { Following } from "./follow";
export { Live } from "./live";
export * as pay from "./pay";
export * as polls from "./polls";
export * as read from "./read";
