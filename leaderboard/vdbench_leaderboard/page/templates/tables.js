// The tables of the page: sorting, filters, students in turn, and plots in turn.

const direction = (header) => {
  const numeric = header.classList.contains("num");
  return numeric ? header.ariaSort !== "descending" : header.ariaSort === "ascending";
};

const mark = (header, down) => {
  for (const other of header.parentElement.cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
};

const order = (a, b, numeric, down) => {
  if (a === "" || b === "") return (a === "") - (b === ""); // nothing goes last, whichever the direction
  const compared = numeric ? Number(a) - Number(b) : a.localeCompare(b, "en", { numeric: true });
  return down ? -compared : compared;
};

const sortTable = (header) => {
  const column = header.cellIndex;
  const down = direction(header);
  const numeric = header.classList.contains("num");
  const body = header.closest("table").tBodies[0];
  const value = (row) => row.cells[column].dataset.value;
  body.append(...[...body.rows].sort((a, b) => order(value(a), value(b), numeric, down)));
  mark(header, down);
};

for (const header of document.querySelectorAll("table.main thead th")) {
  header.querySelector("button")?.addEventListener("click", () => sortTable(header));
}

const press = (buttons, pressed) => {
  for (const button of buttons) button.setAttribute("aria-pressed", String(button === pressed));
};

for (const bar of document.querySelectorAll(".turns")) {
  const buttons = [...bar.querySelectorAll("button")];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      press(buttons, button);
      showTables();
    });
  }
  bar.hidden = false;
}

const turn = (bar) => bar?.querySelector("[aria-pressed=true]")?.value;

const showColumns = (table) => {
  const headers = [...table.tHead.rows[0].cells];
  const hidden = headers.map(({ dataset }) => Boolean(state.budget && dataset.budget && dataset.budget !== state.budget));
  for (const row of table.rows) [...row.cells].forEach((cell, place) => (cell.hidden = hidden[place]));
  return headers.length < 2 || hidden.slice(1).some((one) => !one);
};

const showRows = (table, where) => {
  const rows = [...table.tBodies[0].rows];
  for (const row of rows) {
    row.hidden = !chosen({ ...where, budget: null, method: row.dataset.method, pool: row.dataset.pool ?? state.pool });
  }
  return rows.length === 0 || rows.some((row) => !row.hidden);
};

const showTables = () => {
  const suites = new Set();
  for (const section of document.querySelectorAll("section.group")) {
    const turns = section.querySelector(".turns.students");
    const only = state.student ? "" : turn(turns);
    if (turns) turns.hidden = Boolean(state.student);
    let shown = false;
    for (const article of section.querySelectorAll("article")) {
      const where = { suite: section.dataset.suite, dataset: section.dataset.dataset, student: article.dataset.student };
      const tables = [...article.querySelectorAll("table.main")];
      const full = tables.map((table) => [showColumns(table), showRows(table, where)]);
      const fits = chosen({ ...where, budget: null, method: state.q, pool: state.pool }) && full[0].every(Boolean);
      tables.slice(1).forEach((table, place) => {
        table.closest(".pools").hidden = !full[place + 1].every(Boolean);
      });
      for (const said of article.querySelectorAll(".holds li")) {
        said.hidden = Boolean(state.budget && said.dataset.budget !== state.budget);
      }
      article.hidden = !fits || Boolean(only && only !== article.id);
      shown ||= fits;
      for (const figure of article.querySelectorAll("figure[data-over]")) {
        const over = turn(article.querySelector(".turns.over"));
        figure.hidden = Boolean(over && over !== figure.dataset.over);
      }
    }
    section.hidden = !shown;
    if (shown) suites.add(section.dataset.suite);
  }
  for (const section of document.querySelectorAll("section.glance")) {
    section.hidden = !suites.has(section.dataset.suite);
  }
  document.getElementById("none").hidden = suites.size > 0;
};
listeners.push(showTables);

document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#cell="]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault(); // keep the other choices
  choose({ cell: link.hash.slice("#cell=".length) });
});

// A link to a row or a table, which may be of a student whose turn it is not.
const reveal = () => {
  const hash = location.hash.slice(1);
  const target = hash && !hash.includes("=") && document.getElementById(decodeURIComponent(hash));
  const article = target && target.closest("article");
  if (!article) return;
  const button = article.closest("section").querySelector(`.turns.students [value="${article.id}"]`);
  if (button) press([...button.parentElement.children], button);
  showTables();
  target.scrollIntoView();
};
window.addEventListener("hashchange", reveal);

// On a phone plots are wider than the page, and can be scrolled by keyboard, too.
const wider = matchMedia("(max-width: 720px)");
const reachable = () => {
  for (const box of document.querySelectorAll(".drawn")) {
    if (wider.matches) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
};
wider.addEventListener("change", reachable);
reachable();
