// One cell in full: its scores, its cost, where its clips come from, and how to repeat it.

const panel = document.getElementById("panel");

const headline = (cell) => {
  const [about, standing] = (onOthers(cell)?.sentences ?? cell.sentences).map(safe);
  if (missing(cell.top1)) return `<p class="lead">${failed(cell)} ${about}</p>`;
  const most = reach([cell], "own");
  return `<p class="lead"><span class="big">${split(cell.shown.own, "span")}</span><span>${about}<br>${standing} ${failed(cell)}</span></p>
    <div class="wide-strip">${strip(cell, "own", most, 560, 26)}<span>0</span><span>${most} %</span></div>`;
};

const tableOf = (caption, headers, rows) =>
  `<div class="scroll" tabindex="0"><table><caption>${caption}</caption><thead><tr>${headers}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;

const SCORES = {
  own: "own labels", hard: "hard labels", soft: "soft labels", augmented: "own labels, augmented",
  top5: "top-5", macro: "mean over classes", shuffled: "frames shuffled", still: "middle frame repeated",
};
const scores = (cell) => {
  const headers = `<th scope="col">Score</th><th scope="col" class="num">%</th><th scope="col" class="num">95 % interval</th><th scope="col" class="num">Δ random</th>`;
  const rows = Object.entries(SCORES).map(([name, title], at) => cell.shown[name] === NOTHING ? "" :
    `<tr><th scope="row">${title}</th><td class="num">${cell.shown[name]}</td><td class="num">${(at === 0 && onOthers(cell)?.interval) || cell.intervals[at]}</td><td class="num ${(at === 0 ? onOthers(cell)?.side : null) ?? cell.sides[at] ?? ""}">${cell.shown[`${name}_gain`] ?? NOTHING}</td></tr>`);
  const hint = onOthers(cell) ? '<p class="hint">The interval of the first score speaks of other clips of this kind, those of the others of these test clips.</p>' : "";
  return missing(cell.top1) ? "" : `<h3>Scores</h3>${tableOf("Scores in percent", headers, rows)}${hint}`;
};

const facts = ([heading, pairs]) =>
  `${heading ? `<h3>${heading}</h3>` : ""}<dl class="facts-list">${pairs.map(([name, text]) => `<div><dt>${name}</dt><dd>${safe(text)}</dd></div>`).join("")}</dl>`;

const trials = (cell) => {
  const headers = `<th scope="col" class="num">Seed</th><th scope="col">Trial</th><th scope="col">First digits of the distilled set’s SHA-256, or failure</th>`;
  const rows = cell.trials.split("\n").map((line) => {
    const [seed, id, ...rest] = line.split(" ");
    return `<tr><td class="num">${seed}</td><td><code>${safe(id)}</code></td><td>${safe(rest.join(" ")) || NOTHING}</td></tr>`;
  });
  const machines = cell.machines.map((machine) => `<li>${safe(machine)}</li>`).join("");
  return `<details><summary>Trials and machines</summary>${tableOf("Trials", headers, rows)}<ul>${machines}</ul></details>`;
};

const settings = ({ settings }) =>
  settings && `<details><summary>Settings (${settings.split("\n").length})</summary><pre tabindex="0">${safe(settings)}</pre></details>`;

const bars = (rows) =>
  `<ol class="bars">${rows.map(([name, share]) => `<li><span>${safe(name)}</span><i style="--share:${share}%"></i><b>${share}</b></li>`).join("")}</ol>`;

const classes = (cell) => {
  const names = cell.group.classes;
  const [own, matrix, pairs] = cell.per_class;
  const ordered = names.map((name, at) => [name, own[at]]).sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  const detail = matrix.length
    ? confusion(names, matrix)
    : `<p class="hint">Confused most often, in percent.</p>${bars(pairs.map(([label, guess, share]) => [`${names[label]} → ${names[guess]}`, share]))}`;
  return `<h3>Classes</h3><div class="two"><div><p class="hint">Top-1 of each class in percent.</p>${bars(ordered)}</div><div>${detail}</div></div>`;
};

const confusion = (names, matrix) => {
  const headers = `<td></td>${names.map((name) => `<th scope="col" title="${safe(name)}"><span>${safe(name)}</span></th>`).join("")}`;
  const rows = matrix.map((shares, row) => {
    const inside = shares.map((share, at) => `<td style="--share:${share}" title="${safe(names[row])} classified as ${safe(names[at])}: ${share} %">${share || ""}</td>`);
    return `<tr><th scope="row">${safe(names[row])}</th>${inside.join("")}</tr>`;
  });
  return `<p class="hint">Percent of each class (row) classified as each class (column).</p>${tableOf("Confusion", headers, rows).replace("<table>", '<table class="confusion">')}`;
};

const beside = (cell) => {
  const { suite, dataset_title: dataset, method: a } = cell;
  const b = versus.first[1] === a ? versus.first[0] : versus.first[1];
  if (!compared(a, b).length) return "";
  return `<p class="hint"><a href="#${safe(new URLSearchParams({ a, b, suite, dataset }))}">Compare ${safe(a)} with ${safe(b)}</a>, or with another method. The address of this page is a link to this row.</p>`;
};

const full = (cell) => `<header><div><h2 id="panel-title">${safe(cell.method)} ${cell.tags.map(badge).join("")}</h2>
    <p>${safe(cell.group.heading)} · ${safe(cell.budget ?? "no budget")} · student ${safe(cell.student_title)}</p></div>
    <button type="button" class="close" aria-label="Close">✕</button></header>
    ${headline(cell)}
    ${beside(cell)}
    <h3>Repeat it</h3>
    <div class="command"><pre id="command" tabindex="0">${safe(cell.command)}</pre><button type="button" data-copy="command">Copy</button></div>
    ${scores(cell)}${cell.facts.map(facts).join("")}
    ${settings(cell)}${trials(cell)}
    ${cell.per_class ? classes(cell) : ""}`;

let opened = "";
listeners.push(() => {
  if (state.cell === opened) return;
  opened = state.cell;
  const cell = byId.get(state.cell);
  if (!cell) {
    if (panel.open) panel.close();
    return;
  }
  panel.querySelector(".inside").innerHTML = full(cell);
  if (!panel.open) panel.showModal();
  panel.scrollTop = 0;
});
panel.addEventListener("click", (event) => {
  if (event.target === panel || event.target.closest(".close")) panel.close();
});
panel.addEventListener("close", () => {
  opened = "";
  if (state.cell) choose({ cell: "" });
});

read();
notify(); // show what the address asks for
reveal();
arrive();
