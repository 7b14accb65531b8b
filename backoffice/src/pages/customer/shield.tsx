import type { Credit } from '../../api/types.ts';
import { Instant } from '../../ui/values.tsx';

interface ShieldProps {
  readonly credit: Credit;
}

/** Whether the account was verified against its history, when, and up to which version. */
export function Shield({ credit }: ShieldProps) {
  const { verification, version } = credit;
  if (version === 0) return null;
  if (verification === null) return <Told tone="muted">It is not known just now whether this account is verified.</Told>;
  const { findings, version: verified, verified_at: at } = verification;
  if (findings > 0) {
    return (
      <Told tone="danger">
        <strong>This account was tampered with.</strong> Do not change it, and tell the security team.
      </Told>
    );
  }
  if (at === null) return <Told tone="muted">Not verified yet.</Told>;
  return (
    <Told tone={verified < version ? 'muted' : 'good'}>
      Verified up to version {verified} of {version}, <Instant at={at} />
    </Told>
  );
}

function Told({ tone, children }: { readonly tone: 'good' | 'muted' | 'danger'; readonly children: React.ReactNode }) {
  return (
    <p className={`till-shield till-shield-${tone}`} {...(tone === 'danger' ? { role: 'alert' } : {})}>
      <svg viewBox="0 0 20 20" aria-hidden="true" focusable="false">
        <path d="M10 1.8 3.2 4.3v5.2c0 4.2 2.8 7.3 6.8 8.7 4-1.4 6.8-4.5 6.8-8.7V4.3L10 1.8Z" />
        {tone === 'good' && <path d="m7 9.9 2.2 2.2L13.2 8" />}
        {tone === 'danger' && <path d="M10 6v5M10 13.6v.2" />}
      </svg>
      <span>{children}</span>
    </p>
  );
}
