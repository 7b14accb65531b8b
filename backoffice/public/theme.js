// Sets the theme before the first paint, as src/ui/theme.tsx does afterwards. Keep the two alike.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem('till-theme');
  } catch (error) {
    // Storage is switched off in this browser: the system's theme it is.
    console.info('The theme is not remembered: ' + error);
  }
  var dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-cui-theme', dark ? 'dark' : 'light');
  document.documentElement.style.colorScheme = dark ? 'dark' : 'light';
})();
