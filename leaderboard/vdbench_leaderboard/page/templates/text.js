// Texts as markup, and into the clipboard. Numbers come as texts from the leaderboard's own formats.

const NOTHING = "–";
const missing = (value) => value === null || value === undefined;
// A value with its texts, each of which is stored once, in their places.
const unpacked = (value, texts) =>
  typeof value === "string" ? texts[parseInt(value, 36)] : Array.isArray(value) ? value.map((part) => unpacked(part, texts)) : value;
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const safe = (text) => String(text).replace(/[&<>"']/g, (character) => ENTITIES[character]);

// "52.1 ± 1.3", its standard deviation in small
const split = (estimate, tag = "b") => {
  const [mean, deviation] = estimate.split(" ± ");
  return `<${tag}>${mean}</${tag}>${deviation ? `<small> ± ${deviation}</small>` : ""}`;
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
  button.textContent = document.getElementById("status").textContent = "Copied";
  setTimeout(() => (button.textContent = before), 1500);
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button, document.getElementById(button.dataset.copy).textContent);
});
