import type { Plugin } from 'vite';

/** One module of a package that is loaded with other contents, and why. */
interface Replacement {
  readonly file: RegExp;
  readonly code: string;
}

const NOTHING = 'export default {};';

/** The icons that are loaded: those that src/ui shows (its types allow no other), and those that ClickUI shows itself. */
const ICONS = ['arrow-down', 'arrow-up', 'chevron-left', 'copy', 'cross', 'download', 'loading-animated', 'refresh', 'sort-alt', 'warning'];

const fileOf = (icon: string) => icon.replaceAll(/(^|-)[a-z]/g, (letters) => letters.toUpperCase());

const REPLACEMENTS: Readonly<Record<string, Replacement>> = {
  // ClickUI's Icon imports every flag, every logo and every payment brand: 237 kB (gzip) that this application never shows.
  flags: { file: /click-ui\/dist\/esm\/components\/Assets\/Flags\/system\/Flags(Light|Dark)\.js$/, code: NOTHING },
  logos: { file: /click-ui\/dist\/esm\/components\/Assets\/Logos\/system\/Logos(Light|Dark)\.js$/, code: NOTHING },
  payments: { file: /click-ui\/dist\/esm\/components\/Assets\/Payments\/system\/Payments(Light|Dark)\.js$/, code: NOTHING },
  // And every icon: 30 kB (gzip), for ten that are shown.
  icons: {
    file: /click-ui\/dist\/esm\/components\/Assets\/Icons\/system\/IconsLight\.js$/,
    code: `
      ${ICONS.map((icon, index) => `import icon${index} from '../${fileOf(icon)}.js';`).join('\n')}
      export default { ${ICONS.map((icon, index) => `'${icon}': icon${index}`).join(', ')} };`,
  },
  // The scroll lock below a dialog writes a <style> element, which would need 'unsafe-inline' in the Content-Security-Policy.
  // A constructed style sheet does the same and needs nothing.
  styleSingleton: {
    file: /react-style-singleton\/dist\/es20\d\d\/singleton\.js$/,
    code: `
      export function stylesheetSingleton() {
        let users = 0;
        let sheet = null;
        return {
          add(css) {
            if (users === 0) {
              sheet = new CSSStyleSheet();
              sheet.replaceSync(css);
              document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
            }
            users += 1;
          },
          remove() {
            users -= 1;
            if (users === 0) {
              document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
              sheet = null;
            }
          },
        };
      }`,
  },
};

/**
 * Loads a few modules of packages with other contents.
 *
 * A build in which one of them is not met any more fails: a new version of a package has moved it, and the
 * replacement would be lost without a word.
 */
export function leanModules(): Plugin {
  const met = new Set<string>();
  return {
    name: 'till:lean-modules',
    apply: 'build',
    enforce: 'pre',
    load(id) {
      const file = id.split('?')[0] ?? id;
      for (const [name, replacement] of Object.entries(REPLACEMENTS)) {
        if (replacement.file.test(file)) {
          met.add(name);
          return { code: replacement.code, moduleSideEffects: false };
        }
      }
      return null;
    },
    buildEnd(error) {
      const missed = Object.keys(REPLACEMENTS).filter((name) => !met.has(name));
      if (error === undefined && missed.length > 0) {
        this.error(`build/lean-modules.ts replaces modules that are not there any more: ${missed.join(', ')}`);
      }
    },
  };
}
