/** How large tasks are that a PC takes on: `primitives/src/model.rs`. */
import { count, several } from "../format/number";

/** Memory that a PC of size class 0 lends, in MiB; each further class doubles it. */
const CLASS_MEMORY = 4;

/** `1 GiB` */
export function memoryOf(sizeClass: number): string {
  const mebibytes = CLASS_MEMORY * 2 ** sizeClass;
  return mebibytes < 1024 ? `${count(mebibytes)} MiB` : `${count(mebibytes / 1024)} GiB`;
}

/** `up to 64 tasks at a time, each of up to 1 GiB (size class 8)` */
export const roomOf = ({ room, sizeClass }: { room: number; sizeClass: number }): string =>
  `up to ${several(room, "task")} at a time, each of up to ${memoryOf(sizeClass)} (size class ${sizeClass})`;
