// What the reader chose, in the page's address, so that a view can be linked.

const DEFAULTS = {
  suite: "", dataset: "", budget: "", student: "", pool: "", q: "",
  labels: "own", columns: "accuracy", hide: "", sort: "", cell: "", a: "", b: "", clips: "",
};
const FILTERS = ["suite", "dataset", "budget", "student", "pool", "q", "hide"];
const state = { ...DEFAULTS };
const listeners = [];

const written = () => {
  const chosen = Object.entries(state).filter(([name, value]) => value !== DEFAULTS[name]);
  return new URLSearchParams(chosen).toString();
};

const read = () => {
  const hash = location.hash.slice(1);
  if (hash && !hash.includes("=")) return false; // an anchor
  const chosen = new URLSearchParams(hash);
  for (const name of Object.keys(DEFAULTS)) state[name] = chosen.get(name) ?? DEFAULTS[name];
  return true;
};

const notify = () => listeners.forEach((listener) => listener());

const choose = (changes) => {
  Object.assign(state, changes);
  history.replaceState(null, "", `#${written()}`);
  notify();
};

const chosen = (what) => {
  const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
  return (
    (!state.suite || state.suite === what.suite) &&
    (!state.dataset || state.dataset === what.dataset) &&
    (!state.student || state.student === what.student) &&
    (!state.pool || state.pool === what.pool) &&
    (!state.budget || what.budget === null || state.budget === what.budget) &&
    words.every((word) => what.method.toLowerCase().includes(word))
  );
};

window.addEventListener("hashchange", () => read() && notify());

for (const control of document.querySelectorAll("#filters [name]")) {
  control.addEventListener(control.type === "search" ? "input" : "change", () =>
    choose({ [control.name]: control.value }),
  );
}
document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
document.getElementById("reset").addEventListener("click", () =>
  choose(Object.fromEntries(FILTERS.map((name) => [name, ""]))),
);
listeners.push(() => {
  for (const control of document.querySelectorAll("#filters [name]")) {
    if (control.value !== state[control.name]) control.value = state[control.name];
    control.classList.toggle("on", state[control.name] !== "");
  }
  const filters = FILTERS.map((name) => state[name]).filter(Boolean);
  document.getElementById("reset").hidden = filters.length === 0;
  document.getElementById("filtered").textContent = filters.length ? `(${filters.join(", ")})` : "";
});

// On a phone filters are folded away: results come first.
const roomy = matchMedia("(min-width: 721px)");
const fold = () => (document.getElementById("filtering").open = roomy.matches);
roomy.addEventListener("change", fold);
fold();
