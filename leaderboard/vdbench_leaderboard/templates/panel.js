// One cell in full: what it rests on, what it cost, and how to repeat it.

const panel = document.getElementById("panel");

const facts = (pairs) =>
  `<dl class="facts-list">${pairs.filter(([, value]) => value).map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join("")}</dl>`;

const headline = (cell) => {
  if (!cell.own) return `<p class="lead">${failed(cell)} No trial finished.</p>`;
  const most = Math.min(100, Math.ceil(Math.max(cell.own[2] ?? 0, ...cell.own[DOTS]) / 10) * 10 || 10);
  const what = cell.seeds > 1 ? `${cell.seeds} seeds` : "the networks of one seed";
  const ends = missing(cell.own[1]) ? "" : `, 95 % interval ${interval(cell.own)}`;
  return `<p class="lead"><span class="big">${percent(cell.own[0])}<small>${spread(cell.own)}</small></span>
    <span>% top-1 over ${what}${ends}<br>${standing(cell)} ${failed(cell)}</span></p>
    <div class="wide-strip">${strip(cell.own, cell.group.chance, most, 560, 26)}<span>0</span><span>${most} %</span></div>`;
};

const standing = (cell) => {
  const rank = missing(cell.rank) ? "No rank." : `Rank ${cell.rank}${cell.tied ? ", shared" : ""}.`;
  const gain = cell.own[GAIN];
  if (!gain) return rank;
  const sign = missing(cell.p) ? "too few seeds to test" : `p = ${probability(cell.p)} after Holm’s correction`;
  return `${rank} <b class="${side(gain)}">${points(gain[0])}</b> points over random clips (${sign}).`;
};

const conditions = (cell) => {
  const lines = Object.entries({ own: "own labels", hard: "hard labels", soft: "soft labels", augmented: "own labels, augmented" })
    .map(([name, title]) => [title, kindOf(cell, name)])
    .filter(([, kind]) => kind)
    .map(([title, kind]) => `<tr><th scope="row">${title}</th><td class="num">${estimate(kind)}</td><td class="num">${interval(kind)}</td><td class="num ${side(kind[GAIN])}">${kind[GAIN] ? points(kind[GAIN][0]) : NOTHING}</td></tr>`);
  const others = Object.entries({ top5: "top-5", macro: "mean over classes", shuffled: "frames shuffled", still: "standing still" })
    .filter(([name]) => cell[name])
    .map(([name, title]) => `<tr><th scope="row">${title}</th><td class="num">${estimate(cell[name])}</td><td class="num">${interval(cell[name])}</td><td class="num">${NOTHING}</td></tr>`);
  return `<div class="scroll"><table><caption>Scores in percent</caption><thead><tr><th scope="col">Score</th><th scope="col" class="num">%</th><th scope="col" class="num">95 % interval</th><th scope="col" class="num">Δ random</th></tr></thead><tbody>${lines.join("")}${others.join("")}</tbody></table></div>`;
};

const classesOf = (cell) => {
  const names = cell.group.classes;
  const { matrix, right, confused } = cell.classes;
  const own = right ?? names.map((_, place) => matrix[place * names.length + place]);
  const ordered = names.map((name, place) => [name, own[place]]).sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  const bars = ordered.map(([name, share]) => `<li><span>${safe(name)}</span><i style="--share:${share}%"></i><b>${share}</b></li>`).join("");
  const detail = matrix ? heatmap(names, matrix) : pairs(names, confused);
  return `<h3>Classes</h3><div class="two"><div><p class="hint">Top-1 of each class in percent.</p><ol class="bars">${bars}</ol></div><div>${detail}</div></div>`;
};

const heatmap = (names, matrix) => {
  const head = names.map((name, place) => `<th scope="col" title="${safe(name)}"><span>${safe(name)}</span></th>`).join("");
  const body = names.map((name, row) => {
    const shares = names.map((guess, column) => matrix[row * names.length + column]);
    const inside = shares.map((share, column) => `<td style="--share:${share}" title="${safe(name)} taken for ${safe(names[column])}: ${share} %">${share || ""}</td>`);
    return `<tr><th scope="row">${safe(name)}</th>${inside.join("")}</tr>`;
  });
  return `<p class="hint">Of each class (row), percent taken for which (column).</p><div class="scroll"><table class="confusion"><caption>Confusion</caption><thead><tr><td></td>${head}</tr></thead><tbody>${body.join("")}</tbody></table></div>`;
};

const pairs = (names, confused) =>
  `<p class="hint">Confused most often.</p><ol class="bars">${confused.map(([label, guess, share]) => `<li><span>${safe(names[label])} → ${safe(names[guess])}</span><i style="--share:${share}%"></i><b>${share}</b></li>`).join("")}</ol>`;

const trials = (cell) => {
  const lines = cell.trials.map((place) => {
    const [seed, id, ...rest] = text(place).split(" ");
    return `<tr><td class="num">${seed}</td><td><code>${safe(id)}</code></td><td>${safe(rest.join(" ")) || NOTHING}</td></tr>`;
  });
  return `<details><summary>Trials and machines</summary><div class="scroll"><table><caption>Trials</caption><thead><tr><th scope="col" class="num">Seed</th><th scope="col">Trial</th><th scope="col">Distilled set (SHA-256 begins) or failure</th></tr></thead><tbody>${lines.join("")}</tbody></table></div><ul>${cell.machines.map((place) => `<li>${safe(text(place))}</li>`).join("")}</ul></details>`;
};

const settingsOf = (cell) => {
  const lines = text(cell.settings).split("\n").filter(Boolean);
  if (!lines.length) return "";
  return `<details><summary>Settings (${lines.length})</summary><pre tabindex="0">${safe(lines.join("\n"))}</pre></details>`;
};

const full = (cell) => {
  const checked = cell.verified && `${cell.verified[0]} of ${cell.seeds} seeds judged again, differing by ${percent(cell.verified[1])} points at most`;
  return `<header><div><h2 id="panel-title">${safe(cell.method)} ${cell.marks.map(badge).join("")}</h2>
    <p>${safe(cell.group.heading)} · ${cell.budget ? safe(cell.budget[0]) : "no budget"} · judged by ${safe(cell.studentName)}</p></div>
    <button type="button" class="close" aria-label="Close">✕</button></header>
    ${headline(cell)}
    <h3>Repeat it</h3>
    <div class="command"><pre id="command" tabindex="0">${safe(text(cell.command))}</pre><button type="button" data-copy="command">Copy</button></div>
    ${cell.own ? `<h3>Scores</h3>${conditions(cell)}` : ""}
    ${facts([
      ["label-robust score (LRS)", cell.lrs && `${scored(cell.lrs)} <small>IOR ${scored(cell.ior)}, HLR ${scored(cell.hlr)}</small>`],
      ["augmentation-robust score (ARS)", cell.ars && scored(cell.ars)],
      ["share of full", !missing(cell.share) && `${percent(cell.share)} %${cell.share > 100 ? " <small>a higher mean than full’s</small>" : ""}`],
      ["relies on motion", !missing(drop(cell, "still")) && `${percent(drop(cell, "still"))} points lost standing still, ${percent(drop(cell, "shuffled"))} with frames shuffled`],
    ])}
    <h3>What it cost</h3>
    ${facts([
      ["stored", cell.own && `${size(cell.bytes)} in ${whole(cell.clips)} clips${text(cell.codec) ? `, as ${safe(text(cell.codec))}` : ""}`],
      ["distil", cell.own && `${seconds(cell.distill)} a trial, shared assets included`],
      ["evaluate", cell.own && `${seconds(cell.evaluate)} for this student’s networks`],
      ["repeated", `${cell.seeds} of ${cell.expected} seeds × ${safe(cell.networks)} network${cell.networks === "1" ? "" : "s"}`],
    ])}
    <h3>What it rests on</h3>
    ${facts([
      ["pool", safe(cell.pool)],
      ["seen", safe(seen(cell))],
      ["step size", !missing(cell.step) && `${cell.step}, learned`],
      ["verified", checked || "by nobody yet"],
    ])}
    ${settingsOf(cell)}${trials(cell)}
    ${cell.classes ? classesOf(cell) : ""}`;
};

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
