// Light or dark: as the system has it, until the button says otherwise.
// Loaded before the page is drawn, so that it never flashes in the other one.
"use strict";
{
  const KEY = "theme";
  const root = document.documentElement;
  const systemDark = matchMedia("(prefers-color-scheme: dark)");
  const stored = localStorage.getItem(KEY);
  if (stored === "dark" || stored === "light") root.dataset.theme = stored;

  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches);
  const button = () => document.getElementById("theme");
  const changed = () => {
    button().setAttribute("aria-pressed", String(isDark()));
    document.dispatchEvent(new Event("themechange"));
  };

  systemDark.addEventListener("change", changed);
  document.addEventListener("DOMContentLoaded", () => {
    changed();
    button().addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      localStorage.setItem(KEY, root.dataset.theme);
      changed();
    });
  });
}
