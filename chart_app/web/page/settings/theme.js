// Light or dark: as the system has it, until the button says otherwise.
// A script, not a module: it runs before the page is drawn, which so never flashes in the other one.
{
  const KEY = "theme";
  const root = document.documentElement;
  const systemDark = matchMedia("(prefers-color-scheme: dark)");
  const stored = localStorage.getItem(KEY);
  if (stored === "dark" || stored === "light") root.dataset.theme = stored;

  const isDark = () => {
    const chosen = root.dataset.theme;
    return chosen ? chosen === "dark" : systemDark.matches;
  };
  const onChange = () => {
    document.getElementById("theme")?.setAttribute("aria-pressed", String(isDark()));
    document.dispatchEvent(new Event("themechange"));
  };

  systemDark.addEventListener("change", onChange);
  document.addEventListener("DOMContentLoaded", () => {
    onChange();
    document.getElementById("theme")?.addEventListener("click", () => {
      const theme = isDark() ? "light" : "dark";
      root.dataset.theme = theme;
      localStorage.setItem(KEY, theme);
      onChange();
    });
  });
}
