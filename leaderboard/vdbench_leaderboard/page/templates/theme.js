// Light, dark, or as the system has it.

{
  const root = document.documentElement;
  const toggle = document.getElementById("theme");
  const themes = ["auto", "light", "dark"];
  const show = (theme) => {
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
    toggle.textContent = `Theme: ${theme}`;
  };
  show(root.dataset.theme || "auto");
  toggle.addEventListener("click", () => {
    const theme = themes[(themes.indexOf(root.dataset.theme || "auto") + 1) % themes.length];
    show(theme);
    try {
      if (theme === "auto") localStorage.removeItem("vdbench-theme");
      else localStorage.setItem("vdbench-theme", theme);
    } catch {} // a page opened from disk may have no storage
  });
}
