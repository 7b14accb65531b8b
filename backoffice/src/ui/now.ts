import { useSyncExternalStore } from 'react';

// One clock for everything that is shown as time goes by, so that all of it moves together.
const watchers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function watch(changed: () => void): () => void {
  watchers.add(changed);
  timer ??= setInterval(() => watchers.forEach((watcher) => watcher()), 1000);
  return () => {
    watchers.delete(changed);
    if (watchers.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

const currentSecond = (): number => Math.floor(Date.now() / 1000);

/** The time, in milliseconds; rendered again each second. */
export function useNow(): number {
  return useSyncExternalStore(watch, currentSecond) * 1000;
}
