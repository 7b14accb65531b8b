import { Badge } from '@clickhouse/click-ui/Badge';

interface FlagProps {
  readonly text: string;
  readonly tone: 'neutral' | 'info' | 'warning' | 'danger';
  /** More about it, on hover. */
  readonly title?: string;
}

/** Something to notice about a thing, next to its status: "Expired", "Possible orphan". In words, so never by colour alone. */
export function Flag({ text, tone, title }: FlagProps) {
  return <Badge text={text} state={tone} size="sm" ellipsisContent={false} className="till-badge" {...(title === undefined ? {} : { title })} />;
}
