(() => {
  "use strict";

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

  const filters = [...document.querySelectorAll("select[data-filter]")];
  const filter = () => {
    for (const part of document.querySelectorAll("article, section[data-dataset]")) {
      part.hidden = filters.some(({ value, dataset }) => {
        const own = part.dataset[dataset.filter];
        return value && own !== undefined && own !== value;
      });
    }
    const sections = [...document.querySelectorAll("section[data-dataset]")];
    for (const section of sections) section.hidden ||= !section.querySelector("article:not([hidden])");
    document.querySelector(".empty").hidden = sections.some((section) => !section.hidden);
  };
  for (const select of filters) select.addEventListener("change", filter);
  filter(); // a browser may have kept the choices over a reload

  const sort = (header) => {
    const table = header.closest("table");
    const column = header.cellIndex;
    const numeric = header.classList.contains("num");
    const down = numeric ? header.ariaSort !== "descending" : header.ariaSort === "ascending";
    const value = (row) => row.cells[column].dataset.value;
    const compare = (a, b) => (numeric ? Number(a) - Number(b) : a.localeCompare(b, "en"));
    const body = table.tBodies[0];
    const rows = [...body.rows].sort((first, second) => {
      const [a, b] = [value(first), value(second)];
      if (a === "" || b === "") return (a === "") - (b === ""); // nothing goes last, whichever the direction
      return down ? compare(b, a) : compare(a, b);
    });
    body.append(...rows);
    for (const other of header.parentElement.cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
  };
  for (const header of document.querySelectorAll("thead th")) {
    header.querySelector("button").addEventListener("click", () => sort(header));
  }
})();
