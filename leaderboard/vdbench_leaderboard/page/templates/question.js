// Of which clips intervals and tests speak: others of this kind, or, where the reader asks for them, these test clips.

const asksThese = () => state.clips === "these";
const questions = [...document.querySelectorAll("[data-question]")];

for (const button of questions) {
  button.addEventListener("click", () => choose({ clips: button.dataset.question }));
  button.closest(".question").hidden = false;
}

listeners.push(() => {
  document.documentElement.dataset.clips = state.clips;
  for (const button of questions) button.setAttribute("aria-pressed", String(button.dataset.question === state.clips));
});
