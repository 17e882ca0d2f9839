// Light or dark: as the system has it, unless the reader chooses, in this tab or in another.
// A script, not a module: it runs before the page is drawn, which so never flashes in the other one.
{
  const KEY = "theme";
  const root = document.documentElement;
  const systemDark = matchMedia("(prefers-color-scheme: dark)");

  const read = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // blocked
    }
  };
  /** @param {string} theme */
  const keep = (theme) => {
    try {
      localStorage.setItem(KEY, theme);
    } catch {} // blocked or full: chosen for this visit only
  };
  const isDark = () =>
    root.dataset.theme === "system" ? systemDark.matches : root.dataset.theme === "dark";
  const onChange = () => {
    for (const label of document.querySelectorAll("#theme [data-shown-in]")) {
      const isShown = label.getAttribute("data-shown-in") === (isDark() ? "dark" : "light");
      label.toggleAttribute("hidden", !isShown);
    }
    const select = document.getElementById("theme-choice");
    if (select instanceof HTMLSelectElement) select.value = root.dataset.theme ?? "system";
    document.dispatchEvent(new Event("themechange"));
  };
  /** @param {string | null} theme */
  const apply = (theme) => {
    root.dataset.theme = theme === "dark" || theme === "light" ? theme : "system";
    onChange();
  };
  /** @param {string} theme */
  const choose = (theme) => {
    keep(theme);
    apply(theme);
  };

  apply(read());
  systemDark.addEventListener("change", onChange);
  addEventListener("storage", ({ key, newValue }) => {
    if (key === KEY || key === null) apply(newValue);
  });
  document.addEventListener("DOMContentLoaded", () => {
    onChange();
    const button = document.getElementById("theme");
    button?.addEventListener("click", () => choose(isDark() ? "light" : "dark"));
    const select = document.getElementById("theme-choice");
    if (select instanceof HTMLSelectElement) {
      select.addEventListener("change", () => choose(select.value));
    }
  });
}
