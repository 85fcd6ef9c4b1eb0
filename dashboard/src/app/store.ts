/**
 * A value that changes, and who is told. Everything the page shows comes from a handful of these.
 *
 * Must never decide anything: what a value means is for whoever writes it.
 */
import { useEffect, useState } from "preact/hooks";

export interface Store<T> {
  get(): T;
  set(next: T): void;
  update(change: (now: T) => T): void;
  subscribe(told: () => void): () => void;
}

export function createStore<T>(first: T): Store<T> {
  let value = first;
  const listeners = new Set<() => void>();
  const set = (next: T) => {
    if (Object.is(next, value)) return;
    value = next;
    for (const told of [...listeners]) told();
  };
  return {
    get: () => value,
    set,
    update: (change) => set(change(value)),
    subscribe(told) {
      listeners.add(told);
      return () => listeners.delete(told);
    },
  };
}

/** The store's value, and a new rendering whenever it is another one. */
export function useStore<T>(store: Store<T>): T {
  const [value, show] = useState(store.get());
  useEffect(() => {
    const look = () => show(() => store.get());
    // It may have changed between rendering and now.
    look();
    return store.subscribe(look);
  }, [store]);
  return value;
}
