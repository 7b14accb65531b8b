import { Button } from '../ui/button.tsx';
import { useSession } from './session.ts';

/** Says that the session has ended, and offers to sign in again. Above every page, and in every dialog. */
export function SessionEnded() {
  const { ended, signInHint, signInAgain } = useSession();
  if (!ended) return null;
  return (
    <div className="till-notice till-notice-warning till-session-ended" role="alert">
      <span>
        <strong>Your session has ended.</strong> Sign in again to go on. A window opens for it; this page stays as it is, with everything you
        typed. {signInHint}
      </span>
      <Button label="Sign in again" onClick={signInAgain} />
    </div>
  );
}
