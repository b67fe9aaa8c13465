import { useEffect, useReducer } from "preact/hooks";

/** One value that several parts of the page show. */
export interface Store<T> {
  get: () => T;
  set: (value: T) => void;
  subscribe: (listener: () => void) => () => void;
}

/** Make a store; listeners hear of a value that is another one. */
export function store<T>(first: T): Store<T> {
  let value = first;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set: (next) => {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Show a store's value, now and whenever it changes. */
export function useStore<T>(from: Store<T>): T {
  const [, again] = useReducer((count: number) => count + 1, 0);
  const shown = from.get();
  useEffect(() => {
    const stop = from.subscribe(() => again(0));
    if (!Object.is(from.get(), shown)) again(0); // it changed between drawing and listening
    return stop;
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only what was drawn first matters
  }, [from]);
  return shown;
}

/** Read what this browser remembers; null where it may not remember. */
export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(`relance.${name}`);
  } catch {
    return null;
  }
}

/** Remember something in this browser; null forgets it. Where storage is refused it is kept for this page only. */
export function remember(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`relance.${name}`);
    else localStorage.setItem(`relance.${name}`, value);
  } catch {
    return;
  }
}
