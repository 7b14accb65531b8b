import { Icon } from '@clickhouse/click-ui/Icon';
import type { MouseEvent, ReactNode } from 'react';
import { useNavigate } from 'react-router';

/** How a table is sorted. */
export interface Sorting {
  readonly by: string;
  readonly direction: 'ascending' | 'descending';
}

/** A column: its heading, and a cell for each row. */
export interface Column<T> {
  /** Names the column for sorting. */
  readonly id: string;
  readonly header: string;
  readonly cell: (row: T) => ReactNode;
  /** Numbers stand at the end, so that their digits stand below each other. */
  readonly align?: 'end';
  /** The cell that names the row: read out with every other cell of it. */
  readonly isRowHeader?: boolean;
  readonly sortable?: boolean;
  /** Never broken into lines: ids, times, amounts. */
  readonly nowrap?: boolean;
}

interface DataTableProps<T> {
  /** What the table holds; read out, not shown. */
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  readonly sorting?: Sorting;
  readonly onSort?: (sorting: Sorting) => void;
  /** The rows are those of the question before, while the new ones are on their way. */
  readonly stale?: boolean;
  /**
   * Where a click anywhere in a row leads: in this tab, or in another one with Ctrl, Command, or the middle button. A
   * cell of the row has to hold a link to the same place: that one is for the keyboard and for a screen reader.
   */
  readonly rowPlace?: (row: T) => string;
}

/**
 * A table in ClickUI's clothes. Its own is not used: its sort headers cannot be focused and say nothing of the
 * order, and it repeats every heading in every cell.
 */
export function DataTable<T>({ caption, columns, rows, rowKey, sorting, onSort, stale, rowPlace }: DataTableProps<T>) {
  const navigate = useNavigate();
  const open = (event: MouseEvent, place: string) => {
    if (!isOnRowItself(event)) return;
    // Without an opener: a tab that has one begins with a copy of its session, and a refresh token works once.
    if (event.ctrlKey || event.metaKey || event.button === 1) window.open(place, '_blank', 'noopener');
    else void navigate(place);
  };
  return (
    // Scrolls sideways on a narrow screen, by keyboard too.
    <div className={`till-table-scroll ${stale === true ? 'till-stale' : ''}`} role="region" aria-label={caption} tabIndex={0}>
      {/* The roles are those of the elements, which lose them on a phone: there each row is shown as a card. */}
      <table className="till-table" role="table" aria-busy={stale === true}>
        <caption className="till-hidden">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <HeaderCell key={column.id} column={column} sorting={sorting} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr
              key={rowKey(row)}
              role="row"
              {...(rowPlace === undefined
                ? {}
                : {
                    className: 'till-row-opens',
                    onClick: (event: MouseEvent) => open(event, rowPlace(row)),
                    onAuxClick: (event: MouseEvent) => event.button === 1 && open(event, rowPlace(row)),
                  })}
            >
              {columns.map((column) => {
                const className = cellClass(column);
                return column.isRowHeader === true ? (
                  <th key={column.id} scope="row" role="rowheader" className={className}>
                    {column.cell(row)}
                  </th>
                ) : (
                  <td key={column.id} role="cell" data-label={column.header} className={className}>
                    {column.cell(row)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Not on something in the row that has a click of its own, and not the end of selecting text. */
function isOnRowItself(event: MouseEvent): boolean {
  const onOther = event.target instanceof Element && event.target.closest('a, button, input, select, summary') !== null;
  return !onOther && (window.getSelection()?.isCollapsed ?? true);
}

function cellClass<T>({ align, nowrap }: Column<T>): string {
  return [align === 'end' ? 'till-end' : '', nowrap === true ? 'till-nowrap' : ''].join(' ').trim();
}

interface HeaderCellProps<T> {
  readonly column: Column<T>;
  readonly sorting: Sorting | undefined;
  readonly onSort: ((sorting: Sorting) => void) | undefined;
}

function HeaderCell<T>({ column, sorting, onSort }: HeaderCellProps<T>) {
  const className = cellClass(column);
  if (column.sortable !== true || onSort === undefined) {
    return (
      <th scope="col" role="columnheader" className={className}>
        {column.header}
      </th>
    );
  }
  const direction = sorting?.by === column.id ? sorting.direction : undefined;
  const next = direction === 'ascending' ? 'descending' : 'ascending';
  return (
    <th scope="col" role="columnheader" className={className} aria-sort={direction ?? 'none'}>
      <button type="button" className="till-sort" onClick={() => onSort({ by: column.id, direction: next })}>
        {column.header}
        <Icon name={direction === undefined ? 'sort-alt' : direction === 'ascending' ? 'arrow-up' : 'arrow-down'} size="xs" aria-hidden />
      </button>
    </th>
  );
}
