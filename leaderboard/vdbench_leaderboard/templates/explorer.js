// Every cell of the leaderboard in one table: filtered, sorted, and drawn a hundred rows at a time.

const data = JSON.parse(document.getElementById("data").textContent);
const text = (place) => data.texts[place];
const named = (fields, values) => Object.fromEntries(fields.map((name, at) => [name, values[at]]));
const PAGE = 100;

const cells = data.cells.map((values, place) => {
  const cell = named(data.fields, values);
  const student = data.students[cell.student];
  const twins = data.students.some((other) => other.name === student.name && other.width !== student.width);
  return {
    ...named(data.set_fields, data.sets[cell.set]),
    ...cell,
    place,
    group: data.groups[cell.group],
    student,
    studentName: twins && student.width ? `${student.name} ${student.width}` : student.name,
    method: text(cell.method),
    base: text(cell.base),
    pool: text(cell.pool),
    marks: cell.marks.map(text),
    missing: text(cell.missing),
  };
});
const byId = new Map(cells.map((cell) => [cell.id, cell]));

// A cell's scores under the chosen kind of labels; 0 stands for the same as its own.
const kindOf = (cell, name) => (cell[name] === 0 ? cell.own : cell[name]);
const shownKind = (cell) => kindOf(cell, state.labels);
const DOTS = 4, GAIN = 5;

const KINDS = { own: "Top-1", hard: "Top-1, hard labels", soft: "Top-1, soft labels", augmented: "Top-1, augmented" };

const strip = (kind, chance, most, wide = 132, high = 16) => {
  const at = (value) => (Math.min(Math.max(value / most, 0), 1) * (wide - 6) + 3).toFixed(1);
  const middle = high / 2;
  const band = missing(kind[1])
    ? ""
    : `<rect class="band" x="${at(kind[1])}" y="${middle - 3}" width="${(at(kind[2]) - at(kind[1])).toFixed(1)}" height="6" rx="3"/>`;
  const dots = kind[DOTS].map((value) => `<circle cx="${at(value)}" cy="${middle}" r="2.3"/>`).join("");
  const mean = `<rect class="mean" x="${(at(kind[0]) - 1.25).toFixed(2)}" y="${middle - 6}" width="2.5" height="12" rx="1.2"/>`;
  const blind = `<path class="chance" d="M${at(chance)} ${middle - 4}v8"/>`;
  return `<svg class="strip" viewBox="0 0 ${wide} ${high}" width="${wide}" height="${high}" aria-hidden="true"><path class="rail" d="M3 ${middle}H${wide - 3}"/>${blind}${band}${dots}${mean}</svg>`;
};

const badge = (mark) => `<span class="badge ${mark.split(" ")[0]}">${safe(mark)}</span>`;
const failed = (cell) => (cell.missing ? `<span class="badge ${cell.own ? "missing" : "failed"}">${safe(cell.missing)}</span>` : "");
const rankOf = (cell) => (missing(cell.rank) ? "" : `<span class="rank">${cell.rank}${cell.tied ? "=" : ""}</span>`);
const drop = (cell, name) => (cell[name] && cell.own ? cell.own[0] - cell[name][0] : null);
const seen = (cell) => text(cell.saw) || (cell.pool === "real" ? "train clips" : "");

// Each column: its header, what it sorts by, how it is drawn, and what the header tells when pointed at.
const NUMBER = true;
const COLUMNS = {
  method: ["Method", (c) => c.method, (c) => `<button type="button" class="open" data-cell="${c.id}">${safe(c.method).replace("@", "<wbr>@")}</button> ${c.marks.filter((m) => m !== "few seeds" && m !== "partial data").map(badge).join("")}`],
  suite: ["Suite", (c) => c.group.suite, (c) => safe(c.group.suite)],
  dataset: ["Data set", (c) => c.group.dataset, (c) => safe(c.group.dataset)],
  budget: ["Budget", (c) => (c.budget ? c.budget[1] * 1e15 + c.budget[2] : null), (c) => (c.budget ? safe(c.budget[0]) : "all"), "Instances per class, or bytes allowed", NUMBER],
  student: ["Student", (c) => c.studentName, (c) => safe(c.studentName)],
  top1: [() => KINDS[state.labels], (c) => shownKind(c)?.[0], (c) => (shownKind(c) ? `<span class="value">${state.labels === "own" ? rankOf(c) : ""}<b>${percent(shownKind(c)[0])}</b><small>${spread(shownKind(c))}</small>${c.marks.includes("few seeds") ? "<sup>†</sup>" : ""}</span>${failed(c)}` : failed(c) || NOTHING), "Percent, mean ± standard deviation over seeds, with its rank", NUMBER],
  strip: [() => `0 … ${scale()} %`, null, (c) => (shownKind(c) ? strip(shownKind(c), c.group.chance, scale()) : ""), "Seeds (dots), their mean (tick), its 95 % interval (band), chance (line)"],
  gain: ["Δ random", (c) => shownKind(c)?.[GAIN]?.[0], (c) => { const gain = shownKind(c)?.[GAIN]; return gain ? `<span class="${side(gain)}">${points(gain[0])}</span>` : NOTHING; }, "Points over random clips at the same budget, recipe and labels; coloured with at least 3 seeds and p below 0.05", NUMBER],
  p: ["p", (c) => (state.labels === "own" ? c.p : null), (c) => (state.labels === "own" ? probability(c.p) : NOTHING), "Of the paired t-test against random, after Holm's correction for all methods of the table", NUMBER],
  share: ["% of full", (c) => c.share, (c) => percent(c.share), "Share of what full reaches; above 100 %, the mean is higher than that of full", NUMBER],
  top5: ["Top-5", (c) => c.top5?.[0], (c) => estimate(c.top5), "Percent; none with 5 classes or fewer", NUMBER],
  macro: ["Macro", (c) => c.macro?.[0], (c) => estimate(c.macro), "Mean over classes of each class's own top-1", NUMBER],
  hard: ["Hard", (c) => kindOf(c, "hard")?.[0], (c) => estimate(kindOf(c, "hard")), "Top-1 with hard labels under the suite's recipe", NUMBER],
  soft: ["Soft", (c) => kindOf(c, "soft")?.[0], (c) => estimate(kindOf(c, "soft")), "Top-1 with soft labels under the suite's recipe", NUMBER],
  augmented: ["Augmented", (c) => kindOf(c, "augmented")?.[0], (c) => estimate(kindOf(c, "augmented")), "Top-1 with augmented training clips", NUMBER],
  lrs: ["LRS", (c) => c.lrs?.[0], (c) => scored(c.lrs), "Label-robust score, 0 to 1, ± spread over seeds", NUMBER],
  ars: ["ARS", (c) => c.ars?.[0], (c) => scored(c.ars), "Augmentation-robust score, 0 to 1, ± spread over seeds", NUMBER],
  shuffled: ["Shuffled", (c) => c.shuffled?.[0], (c) => percent(c.shuffled?.[0]), "Top-1 on test clips with their frames out of order", NUMBER],
  still: ["Still", (c) => c.still?.[0], (c) => percent(c.still?.[0]), "Top-1 on test clips that show their middle frame all the time", NUMBER],
  motion: ["Motion", (c) => drop(c, "still"), (c) => (missing(drop(c, "still")) ? NOTHING : points(drop(c, "still"))), "Points that are lost when clips stand still: how much the student relies on motion", NUMBER],
  clips: ["Clips", (c) => c.clips, (c) => whole(c.clips), "In the distilled set", NUMBER],
  bytes: ["Stored", (c) => c.bytes, (c) => size(c.bytes), "Everything that rendering the clips needs", NUMBER],
  distill: ["Distil", (c) => c.distill, (c) => seconds(c.distill), "Shared assets and distillation, mean per trial", NUMBER],
  evaluate: ["Evaluate", (c) => c.evaluate, (c) => seconds(c.evaluate), "Training and testing this student's networks, mean per trial", NUMBER],
  seeds: ["Seeds × networks", (c) => c.seeds, (c) => `${c.seeds}${c.seeds < c.expected ? `/${c.expected}` : ""} × ${safe(c.networks)}`, "Distillation seeds, and networks tested for each", NUMBER],
  pool: ["Pool", (c) => c.pool, (c) => safe(c.pool), "Where the clips come from"],
  saw: ["Seen", seen, (c) => `<span class="long">${safe(seen(c)) || NOTHING}</span>`, "What encoder and generator were trained on"],
  verified: ["Verified", (c) => c.verified?.[0], (c) => (c.verified ? `${c.verified[0]} of ${c.seeds} seeds` : NOTHING), "Stored distilled sets that somebody judged again, and that agreed", NUMBER],
};
const PLACES = ["suite", "dataset", "budget", "student"];
const GROUPS = {
  accuracy: ["gain", "p", "share", "top5", "macro"],
  robustness: ["hard", "soft", "augmented", "lrs", "ars", "shuffled", "still", "motion"],
  cost: ["clips", "bytes", "distill", "evaluate", "seeds"],
  origin: ["pool", "saw", "verified"],
};

let view = [], drawn = 0, most = 100;
const scale = () => most;
const table = document.getElementById("explorer");

const HIDDEN = { controls: "control", reconstructions: "reconstruction", partial: "partial data" };
const hides = () => state.hide.split(",").filter(Boolean);

const filtered = () => {
  const unwanted = hides().map((name) => HIDDEN[name]);
  return cells.filter(
    (cell) =>
      chosen({ suite: cell.group.suite, dataset: cell.group.dataset, student: cell.student.name, pool: cell.pool, budget: cell.budget && cell.budget[0], method: cell.method }) &&
      !unwanted.some((mark) => cell.marks.includes(mark)),
  );
};

const sorted = (rows) => {
  const down = state.sort.startsWith("-");
  const [, value, , , numeric] = COLUMNS[state.sort.replace("-", "")] ?? [];
  if (!value) return rows;
  const key = (cell) => value(cell) ?? "";
  return [...rows].sort((a, b) => order(key(a), key(b), numeric, down) || a.place - b.place);
};

// Columns in which all rows agree say nothing. On a phone places stand under the method; as columns, to sort by, they come last.
const narrow = matchMedia("(max-width: 720px)");
const columnsOf = (rows) => {
  const places = PLACES.filter((name) => new Set(rows.map(COLUMNS[name][1])).size > 1);
  const scores = ["top1", "strip", ...(GROUPS[state.columns] ?? GROUPS.accuracy)];
  return narrow.matches ? ["method", ...scores, ...places] : ["method", ...places, ...scores];
};

let columns = [];
const header = (name) => {
  const [title, value, , about = "", numeric] = COLUMNS[name];
  const label = typeof title === "function" ? title() : title;
  const down = state.sort === `-${name}`;
  const sort = down || state.sort === name ? ` aria-sort="${down ? "descending" : "ascending"}"` : "";
  const inside = value ? `<button type="button" data-sort="${name}" title="${safe(about)}">${safe(label)}</button>` : `<span title="${safe(about)}">${safe(label)}</span>`;
  return `<th scope="col"${numeric ? ' class="num"' : ""}${sort}>${inside}</th>`;
};

const under = (cell) => {
  const told = ["budget", "dataset", "suite", "student"].filter((name) => columns.includes(name)).map((name) => COLUMNS[name][2](cell));
  return narrow.matches && told.length ? `<span class="places">${told.join(" · ")}</span>` : "";
};

const line = (cell) => {
  const parts = columns.map((name) => {
    const [, , draw, , numeric] = COLUMNS[name];
    if (name === "method") return `<th scope="row">${draw(cell)}${under(cell)}</th>`;
    return `<td${numeric ? ' class="num"' : ""}>${draw(cell)}</td>`;
  });
  return `<tr data-cell="${cell.id}"${cell.budget ? "" : ' class="bound"'}>${parts.join("")}</tr>`;
};

const more = () => {
  const next = view.slice(drawn, drawn + PAGE);
  table.tBodies[0].insertAdjacentHTML("beforeend", next.map(line).join(""));
  drawn += next.length;
  document.getElementById("more").hidden = drawn >= view.length;
  document.getElementById("more").textContent = `Show ${Math.min(PAGE, view.length - drawn)} more`;
  document.getElementById("count").textContent = `${whole(drawn)} of ${whole(view.length)} rows`;
};

const draw = () => {
  const rows = filtered();
  const reached = rows.flatMap((cell) => (shownKind(cell) ? [shownKind(cell)[2] ?? shownKind(cell)[0]] : []));
  most = Math.min(100, Math.max(10, Math.ceil(Math.max(0, ...reached) / 10) * 10));
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
  const sorter = event.target.closest("[data-sort]");
  if (sorter) {
    const name = sorter.dataset.sort;
    const first = COLUMNS[name][4] ? `-${name}` : name;
    const second = COLUMNS[name][4] ? name : `-${name}`;
    choose({ sort: state.sort === first ? second : first });
    table.querySelector(`[data-sort="${name}"]`)?.focus();
    return;
  }
  const row = event.target.closest("tr[data-cell]");
  if (row && !String(getSelection())) choose({ cell: row.dataset.cell });
});
document.getElementById("more").addEventListener("click", more);
document.getElementById("labels").addEventListener("change", ({ target }) => choose({ labels: target.value }));
for (const button of document.querySelectorAll("[data-columns]")) {
  button.addEventListener("click", () => choose({ columns: button.dataset.columns }));
}
for (const button of document.querySelectorAll("[data-hide]")) {
  button.addEventListener("click", () => {
    const name = button.dataset.hide;
    const now = hides();
    choose({ hide: (now.includes(name) ? now.filter((one) => one !== name) : [...now, name]).join(",") });
  });
}
narrow.addEventListener("change", () => draw());
document.getElementById("numbers").hidden = false;
let drawnFor = null;
listeners.push(() => {
  const { cell, ...rest } = state;
  const wanted = JSON.stringify(rest);
  if (wanted !== drawnFor) draw();
  drawnFor = wanted;
});
