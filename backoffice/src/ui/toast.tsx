import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from 'react';

import { IconAction } from './button.tsx';

type Tone = 'success' | 'danger';

interface Message {
  readonly id: number;
  readonly text: string;
  readonly tone: Tone;
}

interface Toasts {
  /** Shows a message, and has it read out. A danger stays until it is dismissed. */
  readonly announce: (text: string, options?: { readonly tone?: Tone }) => void;
}

const ToastContext = createContext<Toasts | null>(null);

const SHOWN_FOR_MS = 8000;

/** Messages that outlive the dialog or page that caused them: "12.50 USD granted". */
export function ToastProvider({ children }: { readonly children: ReactNode }) {
  const [messages, setMessages] = useState<readonly Message[]>([]);
  const count = useRef(0);
  const dismiss = useCallback((id: number) => setMessages((all) => all.filter((message) => message.id !== id)), []);
  const announce = useCallback((text: string, options?: { readonly tone?: Tone }) => {
    count.current += 1;
    const message = { id: count.current, text, tone: options?.tone ?? 'success' };
    setMessages((all) => [...all, message]);
  }, []);
  const value = useMemo(() => ({ announce }), [announce]);
  return (
    <ToastContext.Provider value={value}>
      {children}
      {/* Two live regions that are always there: one that is added together with its text is not read out. */}
      <div className="till-toasts">
        <div aria-live="polite">
          {messages.map((message) => message.tone === 'success' && <Toast key={message.id} message={message} onDismiss={dismiss} />)}
        </div>
        <div aria-live="assertive">
          {messages.map((message) => message.tone === 'danger' && <Toast key={message.id} message={message} onDismiss={dismiss} />)}
        </div>
      </div>
    </ToastContext.Provider>
  );
}

function Toast({ message, onDismiss }: { readonly message: Message; readonly onDismiss: (id: number) => void }) {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held || message.tone === 'danger') return undefined;
    const timer = setTimeout(() => onDismiss(message.id), SHOWN_FOR_MS);
    return () => clearTimeout(timer);
  }, [held, message, onDismiss]);
  return (
    <div
      className={`till-toast till-toast-${message.tone}`}
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <span>{message.text}</span>
      <IconAction label="Dismiss" icon="cross" onClick={() => onDismiss(message.id)} />
    </div>
  );
}

/** Messages that outlive the page: `announce(text, { tone })`. */
export function useToast(): Toasts {
  const toasts = useContext(ToastContext);
  if (toasts === null) {
    throw new Error('useToast needs a ToastProvider above it');
  }
  return toasts;
}
