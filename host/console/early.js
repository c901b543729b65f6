// Before anything is drawn: the colours that were chosen here before, so that nothing flashes.
try {
  const theme = localStorage.getItem("tarp-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // A browser may keep nothing; then its own preference holds.
}
