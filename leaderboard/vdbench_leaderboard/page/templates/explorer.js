// Every cell in one list: filtered, sorted, drawn a hundred rows at a time, and saved as a file.

const data = JSON.parse(document.getElementById("data").textContent);
const named = (names, values) => Object.fromEntries(names.map((name, at) => [name, values[at]]));
const PAGE = 100;

const shared = named(Object.keys(data.shared), unpacked(Object.values(data.shared), data.texts));
const cells = data.cells.map((values, place) => {
  const cell = { ...shared, ...named(data.fields, unpacked(values, data.texts)) };
  return { ...cell, place, shown: named(Object.keys(data.columns), cell.shown), group: data.groups[cell.group] };
});
const byId = new Map(cells.map((cell) => [cell.id, cell]));

// A column under the chosen kind of labels.
const LABELS = ["own", "hard", "soft", "augmented"];
const column = (name) => (name === "top1" ? state.labels : name === "gain" ? `${state.labels}_gain` : name);
// What is shown on other clips of this kind, where that is asked for and known; in the list, of the method's own labels alone.
const OTHER = ["sentences", "interval", "p", "side", "rank"];
const onOthers = (cell) => (!asksThese() && cell.others ? named(OTHER, cell.others) : null);
const elsewhere = (cell) => (state.labels === "own" ? onOthers(cell) : null);
const valueOf = (cell, name) =>
  name === "p" && elsewhere(cell) ? cell.against_random_others_p : cell[data.columns[column(name)].value];

const strip = (cell, labels, most, wide = 132, high = 16) => {
  const at = (value) => (Math.min(Math.max(value / most, 0), 1) * (wide - 6) + 3).toFixed(1);
  const middle = high / 2;
  const { value } = data.columns[labels];
  const ends = labels === "own" && !asksThese() && cell.others ? `${value}_others` : value;
  const [mean, low, end] = [cell[value], cell[`${ends}_low`], cell[`${ends}_high`]];
  const band = missing(low) ? "" : `<rect class="band" x="${at(low)}" y="${middle - 3}" width="${(at(end) - at(low)).toFixed(1)}" height="6" rx="3"/>`;
  const dots = cell.dots[LABELS.indexOf(labels)].map((one) => `<circle cx="${at(one)}" cy="${middle}" r="2.3"/>`).join("");
  const tick = `<rect class="mean" x="${(at(mean) - 1.25).toFixed(2)}" y="${middle - 6}" width="2.5" height="12" rx="1.2"/>`;
  const chance = `<path class="chance" d="M${at(cell.chance)} ${middle - 4}v8"/>`;
  return `<svg class="strip" viewBox="0 0 ${wide} ${high}" width="${wide}" height="${high}" aria-hidden="true"><path class="rail" d="M3 ${middle}H${wide - 3}"/>${chance}${band}${dots}${tick}</svg>`;
};
const reach = (shown, labels) => {
  const { value } = data.columns[labels];
  const ends = shown.flatMap((cell) => [cell[`${value}_others_high`] ?? 0, cell[`${value}_high`] ?? cell[value] ?? 0]);
  return Math.min(100, Math.max(10, Math.ceil(Math.max(0, ...ends) / 10) * 10));
};

const badge = (tag) => `<span class="badge ${tag.split(" ")[0]}">${safe(tag)}</span>`;
const failed = (cell) => (cell.missing ? `<span class="badge ${missing(cell.top1) ? "failed" : "missing"}">${safe(cell.missing)}</span>` : "");

// Tags that the list shows otherwise: as a mark of the number, or by the name of the data set.
const SHOWN_OTHERWISE = ["few seeds", "badly learned", "lead may be due to training", "partial data"];

// What a column shows, where that is more than its text.
const DRAWN = {
  method: (c) => `<button type="button" class="open" data-cell="${c.id}">${safe(c.method).replace("@", "<wbr>@")}</button> ${c.tags.filter((tag) => !SHOWN_OTHERWISE.includes(tag)).map(badge).join("")}`,
  suite: (c) => safe(c.suite),
  dataset: (c) => safe(c.dataset_title),
  student: (c) => safe(c.student_title),
  top1: (c) => {
    if (missing(valueOf(c, "top1"))) return failed(c) || NOTHING;
    const place = elsewhere(c)?.rank || c.rank_text;
    const rank = state.labels === "own" && place ? `<span class="rank">${place}</span>` : "";
    return `<span class="value">${rank}${split(c.shown[state.labels])}${c.marks ? `<sup>${c.marks}</sup>` : ""}</span>${failed(c)}`;
  },
  strip: (c) => (missing(valueOf(c, "top1")) ? "" : strip(c, state.labels, most)),
  gain: (c) => `<span class="${elsewhere(c)?.side ?? c.sides[LABELS.indexOf(state.labels)]}">${c.shown[column("gain")]}</span>`,
  p: (c) => (state.labels === "own" ? elsewhere(c)?.p ?? c.shown.p : NOTHING),
  pool: (c) => safe(c.taken_from),
  seen: (c) => `<span class="long">${safe(c.seen) || NOTHING}</span>`,
};
const content = (cell, name) => (DRAWN[name] ? DRAWN[name](cell) : safe(cell.shown[name]));

const PLACES = ["suite", "dataset", "budget", "student"];
const inGroup = (group) => Object.keys(data.columns).filter((name) => data.columns[name].group === group);
const GROUPS = {
  accuracy: ["gain", ...inGroup("accuracy")],
  robustness: ["hard", "soft", "augmented", ...inGroup("robustness")],
  cost: inGroup("cost"),
  origin: inGroup("origin"),
};
const HIDDEN = { controls: "control", reconstructions: "reconstruction", partial: "partial data" };
const hides = () => state.hide.split(",").filter(Boolean);

let view = [], columns = [], drawn = 0, most = 100;
const table = document.getElementById("explorer");

const filtered = () => {
  const unwanted = hides().map((name) => HIDDEN[name]);
  return cells.filter((cell) =>
    chosen({ suite: cell.suite, dataset: cell.dataset_title, student: cell.student, pool: cell.taken_from, budget: cell.budget, method: cell.method }) &&
    !unwanted.some((tag) => cell.tags.includes(tag)),
  );
};

const sorted = (rows) => {
  const down = state.sort.startsWith("-");
  const name = state.sort.replace("-", "");
  if (!data.columns[column(name)]?.value) return rows;
  const key = (cell) => valueOf(cell, name) ?? "";
  return [...rows].sort((a, b) => order(key(a), key(b), data.columns[column(name)].numeric, down) || a.place - b.place);
};

// Columns in which all rows agree say nothing. On a phone places stand under the method; as columns, to sort by, they come last.
const narrow = matchMedia("(max-width: 720px)");
const columnsOf = (rows) => {
  const places = PLACES.filter((name) => new Set(rows.map((cell) => valueOf(cell, name))).size > 1);
  const scores = ["top1", "strip", ...(GROUPS[state.columns] ?? GROUPS.accuracy)];
  return narrow.matches ? ["method", ...scores, ...places] : ["method", ...places, ...scores];
};

const header = (name) => {
  const { title, value, about, numeric } = data.columns[column(name)];
  const kind = name === "top1" && state.labels !== "own" ? `Top-1, ${title.toLowerCase()}` : title;
  const label = name === "strip" ? `0 … ${most} %` : kind;
  const down = state.sort === `-${name}`;
  const sort = down || state.sort === name ? ` aria-sort="${down ? "descending" : "ascending"}"` : "";
  const inside = value ? `<button type="button" data-sort="${name}" title="${safe(about)}">${safe(label)}</button>` : `<span title="${safe(about)}">${safe(label)}</span>`;
  return `<th scope="col"${numeric ? ' class="num"' : ""}${sort}>${inside}</th>`;
};

const line = (cell) => {
  const places = narrow.matches ? ["budget", "dataset", "suite", "student"].filter((name) => columns.includes(name)) : [];
  const under = places.length ? `<span class="places">${places.map((name) => content(cell, name)).join(" · ")}</span>` : "";
  const parts = columns.map((name) => {
    if (name === "method") return `<th scope="row">${content(cell, name)}${under}</th>`;
    return `<td${data.columns[column(name)].numeric ? ' class="num"' : ""}>${content(cell, name)}</td>`;
  });
  return `<tr data-cell="${cell.id}"${cell.budget ? "" : ' class="bound"'}>${parts.join("")}</tr>`;
};

const more = () => {
  const next = view.slice(drawn, drawn + PAGE);
  table.tBodies[0].insertAdjacentHTML("beforeend", next.map(line).join(""));
  drawn += next.length;
  document.getElementById("more").hidden = drawn >= view.length;
  document.getElementById("more").textContent = `Show ${Math.min(PAGE, view.length - drawn)} more`;
  document.getElementById("count").textContent = `${drawn} of ${view.length} rows`;
};

const draw = () => {
  const rows = filtered();
  most = reach(rows, state.labels);
  columns = columnsOf(rows);
  view = sorted(rows);
  drawn = 0;
  table.tHead.innerHTML = `<tr>${columns.map(header).join("")}</tr>`;
  table.tBodies[0].textContent = "";
  more();
  for (const button of document.querySelectorAll("[data-columns]")) {
    button.setAttribute("aria-pressed", String(button.dataset.columns === state.columns));
  }
  for (const button of document.querySelectorAll("[data-hide]")) {
    button.setAttribute("aria-pressed", String(!hides().includes(button.dataset.hide)));
  }
  document.getElementById("labels").value = state.labels;
};

table.addEventListener("click", (event) => {
  const name = event.target.closest("[data-sort]")?.dataset.sort;
  const row = event.target.closest("tr[data-cell]");
  if (name) {
    const [first, second] = data.columns[column(name)].numeric ? [`-${name}`, name] : [name, `-${name}`];
    choose({ sort: state.sort === first ? second : first });
    table.querySelector(`[data-sort="${name}"]`)?.focus();
  } else if (row && !String(getSelection())) choose({ cell: row.dataset.cell });
});
document.getElementById("more").addEventListener("click", more);
document.getElementById("labels").addEventListener("change", ({ target }) => choose({ labels: target.value }));
for (const button of document.querySelectorAll("[data-columns]")) {
  button.addEventListener("click", () => choose({ columns: button.dataset.columns }));
}
for (const button of document.querySelectorAll("[data-hide]")) {
  button.addEventListener("click", () => {
    const [name, now] = [button.dataset.hide, hides()];
    choose({ hide: (now.includes(name) ? now.filter((one) => one !== name) : [...now, name]).join(",") });
  });
}

// As in leaderboard.csv, no spreadsheet takes a text for a formula.
const inACell = (value) => (typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : value);
const quoted = (value) => (/[",\n\r]/.test(value ?? "") ? `"${value.replaceAll('"', '""')}"` : value ?? "");
const FILES = {
  csv: ["text/csv", (rows) => [data.download, ...rows.map((cell) => data.download.map((name) => cell[name]))].map((row) => `${row.map(inACell).map(quoted).join(",")}\n`).join("")],
  json: ["application/json", (rows) => JSON.stringify(rows.map((cell) => named(data.download, data.download.map((name) => cell[name]))), null, 1)],
};
for (const [kind, [type, written]] of Object.entries(FILES)) {
  document.getElementById(kind).addEventListener("click", () => {
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([written(view)], { type })), download: `leaderboard-view.${kind}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}

narrow.addEventListener("change", draw);
document.getElementById("numbers").hidden = false;
let drawnFor = null;
listeners.push(() => {
  const wanted = JSON.stringify({ ...state, cell: "" });
  if (wanted !== drawnFor) draw();
  drawnFor = wanted;
});
