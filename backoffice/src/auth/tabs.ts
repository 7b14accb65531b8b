const CHANNEL = 'till.session';

/** What the tabs of this application tell each other about the session. */
export type SessionNews =
  /** A window has signed in for this tab. The user is as oidc-client-ts stores it. */
  | { readonly kind: 'signed-in'; readonly tab: string; readonly user: string }
  /** The user signed out in this tab: every other one ends. (A tab hears its own news, too.) */
  | { readonly kind: 'signed-out'; readonly tab: string };

export function tellTabs(news: SessionNews): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(news);
  channel.close();
}

/** Calls back with the news of other tabs, until the returned function is called. */
export function listenToTabs(heard: (news: SessionNews) => void): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }: MessageEvent<SessionNews>) => heard(data);
  return () => channel.close();
}
