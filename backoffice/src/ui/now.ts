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

/** The time, in milliseconds; rendered again each second, or each `step`. */
export function useNow(step = 1000): number {
  return useSyncExternalStore(watch, () => Math.floor(Date.now() / step)) * step;
}
