// Two methods side by side: their differences, which the leaderboard has computed, and their clips.

const versus = JSON.parse(document.getElementById("pairs").textContent);
const pairOf = new Map(versus.pairs.map(([a, b, rows]) => [`${a},${b}`, rows]));
const comparing = document.getElementById("compare");
const [first, second] = ["a", "b"].map((name) => document.getElementById(`compare-${name}`));

for (const select of [first, second]) select.append(...versus.methods.map((method) => new Option(method, method)));

// The same difference the other way round: texts change sides, no number is computed.
const negated = (text) => (/^[+−]?0\.0$/.test(text) ? text.replace("−", "") : text.startsWith("−") ? text.slice(1) : `−${text}`);
const turnedTest = ([interval, p, side]) => [
  interval.includes(" … ") ? interval.split(" … ").reverse().map(negated).join(" … ") : interval,
  p,
  { up: "down", down: "up" }[side] ?? "",
];
const turned = ([place, difference, interval, p, side, paired, ...other]) => [
  place,
  difference.replace(/^[+−]/, (sign) => (sign === "+" ? "−" : "+")),
  ...turnedTest([interval, p, side]),
  paired,
  ...(other.length ? turnedTest(other) : []),
];

// The test that is asked for: on other clips, where that is known.
const asked = ([place, difference, interval, p, side, paired, ...other]) =>
  asksThese() || !other.length ? [place, difference, interval, p, side, paired] : [place, difference, ...other, paired];

const compared = (a, b) => {
  const [at, other] = [a, b].map((method) => versus.methods.indexOf(method));
  const straight = pairOf.get(`${at},${other}`);
  return straight ? unpacked(straight, versus.texts) : unpacked(pairOf.get(`${other},${at}`) ?? [], versus.texts).map(turned);
};

const wanted = ([suite, dataset, student, budget]) =>
  (!state.suite || state.suite === suite) && (!state.dataset || state.dataset === dataset) &&
  (!state.student || state.student === student) && (!state.budget || state.budget === budget);

const lineOf = ([place, difference, interval, p, side, paired], a, b) => {
  const [suite, dataset, student, budget, about] = versus.places[place];
  const link = new URLSearchParams({ a, b, suite, dataset, ...(student ? { student, budget } : {}) });
  const detail = [student && `${student}, ${budget}`, about && safe(about)].filter(Boolean).join(" · ");
  return `<tr${student ? "" : ' class="overall"'}><th scope="row"><a href="#${safe(link)}">${safe(dataset)}</a> <small>suite ${safe(suite)}</small><small class="below">${student ? detail : `all: ${detail}`}</small></th><td class="num"><b class="${side}">${difference}</b></td><td class="num">${interval}</td><td class="num">${p}</td><td>${paired}</td></tr>`;
};

const clipsBeside = (a, b) => {
  const places = Object.entries(versus.clips).filter(([dataset]) => !state.dataset || state.dataset === dataset);
  const figures = places.flatMap(([dataset, clips]) => [a, b].filter((method) => clips[method]).map((method) => {
    const [name, caption] = clips[method];
    return `<figure data-clips="${safe(name)}" hidden><figcaption>${safe(caption)} · ${safe(dataset)}</figcaption></figure>`;
  }));
  const shown = document.getElementById("compare-clips");
  shown.innerHTML = figures.join("");
  showClips(shown);
};

let comparedFor = null;
const showComparison = () => {
  const [a, b] = [state.a || versus.first[0], state.b || versus.first[1]];
  const { suite, dataset, student, budget } = state;
  const wantedNow = JSON.stringify([a, b, suite, dataset, student, budget, state.clips]);
  if (wantedNow === comparedFor) return;
  comparedFor = wantedNow;
  [first.value, second.value] = [a, b];
  const rows = compared(a, b).filter(([place]) => wanted(versus.places[place])).map(asked);
  const told = rows.filter(([, , , , side]) => side).length;
  const names = `<b>${safe(a)} − ${safe(b)}</b>`;
  document.getElementById("compare-says").innerHTML = rows.length
    ? `${names}, in points of top-1: above zero ${safe(a)} is better. ${told ? `Significant: ${told} of ${rows.length} differences.` : "No difference is significant."}`
    : `${names}: there is no place where both were run${a === b ? "; choose two methods" : " and the filters hold"}.`;
  comparing.querySelector("tbody").innerHTML = rows.map((row) => lineOf(row, a, b)).join("");
  clipsBeside(a, b);
};
listeners.push(showComparison);

const pick = () => choose({ a: first.value, b: second.value });
for (const select of [first, second]) select.addEventListener("change", pick);
document.getElementById("compare-swap").addEventListener("click", () => choose({ a: second.value, b: first.value }));
document.querySelector("#compare-share button").addEventListener("click", ({ target }) => {
  pick(); // the address names both, also where they were not chosen
  copy(target, location.href);
});

// A link to a comparison leads to it.
const arrive = () => {
  if (!new URLSearchParams(location.hash.slice(1)).has("a") || state.cell) return;
  comparing.scrollIntoView();
  comparing.focus({ preventScroll: true });
};
window.addEventListener("hashchange", arrive);
comparing.hidden = versus.pairs.length === 0;
