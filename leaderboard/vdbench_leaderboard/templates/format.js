// Numbers and texts as the rest of the page shows them.

const NOTHING = "–";
const missing = (value) => value === null || value === undefined;

// One decimal, halves to even as in the tables: only quarters are halves of a tenth in binary.
const tenths = (value) => {
  const quarters = value * 4;
  if (Number.isInteger(quarters) && quarters % 2 !== 0) {
    const below = Math.floor(value * 10);
    return ((below % 2 === 0 ? below : below + 1) / 10).toFixed(1);
  }
  return value.toFixed(1);
};
const minus = (text) => text.replace("-", "−");
const percent = (value) => (missing(value) ? NOTHING : minus(tenths(value)));
const points = (value) => (missing(value) ? NOTHING : (value < 0 ? "−" : "+") + tenths(Math.abs(value)));
const fraction = (value) => (missing(value) ? NOTHING : minus(value.toFixed(3)));
const scored = (value) => (value ? `${fraction(value[0])}${missing(value[3]) ? "" : `<small> ± ${fraction(value[3])}</small>`}` : NOTHING);
const whole = (value) => (missing(value) ? NOTHING : value.toLocaleString("en", { maximumFractionDigits: 1 }));
const probability = (p) => (missing(p) ? NOTHING : p < 0.001 ? "< 0.001" : p.toFixed(3));

const size = (count) => {
  if (missing(count)) return NOTHING;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (count < 1024) return unit === "B" ? `${count.toFixed(0)} B` : `${count.toFixed(1)} ${unit}`;
    count /= 1024;
  }
  return `${count.toFixed(1)} TiB`;
};

const seconds = (value) => {
  if (missing(value)) return NOTHING;
  if (value < 120) return `${value.toFixed(1)} s`;
  return value < 7200 ? `${(value / 60).toFixed(1)} min` : `${(value / 3600).toFixed(1)} h`;
};

const spread = (estimate) => (estimate && !missing(estimate[3]) ? ` ± ${percent(estimate[3])}` : "");
const estimate = (value) => (value ? percent(value[0]) + spread(value) : NOTHING);
const interval = (value) => (value && !missing(value[1]) ? `${percent(value[1])} … ${percent(value[2])}` : NOTHING);
const side = (gain) => (gain?.[4] ? (gain[0] > 0 ? "up" : "down") : "");

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const safe = (text) => String(text).replace(/[&<>"']/g, (character) => ENTITIES[character]);

const announce = (text) => {
  document.getElementById("told").textContent = text;
};

const copy = async (button, text) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // a page opened from disk may not be allowed to
    const area = Object.assign(document.createElement("textarea"), { value: text });
    button.after(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  const before = button.textContent;
  button.textContent = "Copied";
  announce("Copied");
  setTimeout(() => (button.textContent = before), 1500);
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button, document.getElementById(button.dataset.copy).textContent);
});
