import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import { renderPart } from '../test/render-app.tsx';
import { Quoted } from './timeline.tsx';

/** The declarations of a rule; jsdom does not lay out, so what is styled is read from the style sheet. */
function rule(sheet: string, selector: string): string {
  const css = readFileSync(join(import.meta.dirname, sheet), 'utf8');
  return new RegExp(`^\\${selector} \\{([^}]*)\\}`, 'm').exec(css)?.[1] ?? '';
}

describe('what a person wrote', () => {
  it.each([
    ['styles.css', '.till-break'],
    ['details.css', '.till-quoted'],
  ])('in %s, %s, keeps its line breaks and its direction to itself', (sheet, selector) => {
    expect(rule(sheet, selector)).toContain('white-space: pre-line;');
    expect(rule(sheet, selector)).toContain('unicode-bidi: isolate;');
  });

  it('is quoted with every line of it', () => {
    renderPart(<Quoted>{'The box,\nand the lid'}</Quoted>);
    expect(screen.getByRole('blockquote').textContent).toBe('The box,\nand the lid');
  });
});
