// The rows of the current view as files.

const record = (cell) => {
  const kind = shownKind(cell);
  const ends = (name, value) => ({ [name]: value?.[0] ?? null, [`${name}_low`]: value?.[1] ?? null, [`${name}_high`]: value?.[2] ?? null, [`${name}_spread`]: value?.[3] ?? null });
  return {
    suite: cell.group.suite, dataset: cell.group.dataset, evaluated_on: cell.group.evaluated_on, protocol: cell.group.protocol,
    method: cell.method, pool: cell.pool, budget: cell.budget?.[0] ?? null, ipc: cell.ipc, student: cell.student.name, width: cell.student.width,
    labels: state.labels, ...ends("top1", kind), top1_of_each: kind?.[DOTS].join(" ") ?? null, ...ends("against_random", kind?.[GAIN]),
    p: state.labels === "own" ? cell.p : null, rank: state.labels === "own" ? cell.rank : null, tied: Boolean(cell.tied), share_of_full: cell.share,
    ...ends("top5", cell.top5), ...ends("macro", cell.macro), ...ends("shuffled", cell.shuffled), ...ends("still", cell.still),
    ior: cell.ior?.[0] ?? null, hlr: cell.hlr?.[0] ?? null, lrs: cell.lrs?.[0] ?? null, lrs_low: cell.lrs?.[1] ?? null, lrs_high: cell.lrs?.[2] ?? null, ars: cell.ars?.[0] ?? null, ars_low: cell.ars?.[1] ?? null, ars_high: cell.ars?.[2] ?? null,
    stored_clips: cell.clips, stored_bytes: cell.bytes, distill_seconds: cell.distill, evaluate_seconds: cell.evaluate,
    seeds: cell.seeds, seeds_expected: cell.expected, missing: cell.missing || null, marks: cell.marks.join(", ") || null,
    seen: seen(cell) || null, command: text(cell.command), id: cell.id,
  };
};

const quoted = (value) => {
  const plain = missing(value) ? "" : String(value);
  return /[",\n\r]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
};
const asCsv = (records) => {
  const names = Object.keys(records[0] ?? record(cells[0]));
  return [names, ...records.map((one) => names.map((name) => one[name]))].map((row) => row.map(quoted).join(",") + "\n").join("");
};

const save = (name, kind, content) => {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([content], { type: kind })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};

document.getElementById("csv").addEventListener("click", () => save("leaderboard-view.csv", "text/csv", asCsv(view.map(record))));
document.getElementById("json").addEventListener("click", () =>
  save("leaderboard-view.json", "application/json", JSON.stringify(view.map(record), null, 1)),
);
