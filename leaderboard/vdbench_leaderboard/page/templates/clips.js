// Clips that move: they play when asked, and beside the answers whenever they are seen, unless motion is not wanted.

const stillness = matchMedia("(prefers-reduced-motion: reduce)");
const play = (video) => video.play().catch(() => {});

const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const wanted = isIntersecting && !stillness.matches && !target.dataset.stopped;
    if (wanted) play(target.firstElementChild);
    else target.firstElementChild.pause();
  }
});

const control = (player, moving) => {
  const video = player.firstElementChild;
  video.muted = true;
  for (const name of ["play", "pause"]) {
    video.addEventListener(name, () => player.setAttribute("aria-pressed", String(!video.paused)));
  }
  player.addEventListener("click", () => {
    if (video.paused) play(video);
    else video.pause();
    player.dataset.stopped = video.paused ? "1" : "";
  });
  if (moving) return seen.observe(player);
  player.addEventListener("pointerenter", ({ pointerType }) => pointerType === "mouse" && !stillness.matches && play(video));
  player.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && video.pause());
};

for (const player of document.querySelectorAll(".player")) control(player, false);

// A preview lies on the page once, with its method; here is another look at it.
const copied = (name) => {
  const original = document.getElementById(`clips-${name}`);
  if (!original) return null;
  const copy = original.cloneNode(true);
  copy.removeAttribute("id");
  if (copy.matches(".player")) control(copy, true);
  return copy;
};

const showClips = (inside) => {
  for (const figure of inside.querySelectorAll("[data-clips]")) {
    const copy = copied(figure.dataset.clips);
    if (copy) figure.prepend(copy);
    figure.hidden = !copy;
  }
};
showClips(document);
