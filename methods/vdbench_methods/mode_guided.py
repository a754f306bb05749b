"""mode-guided: sampling from noise, guided towards one mode of the class for each clip until the guidance stops.

Modes are the means of k-means clusters in the generator's latent space. As the authors describe it for images, with
one difference: they add the pull towards a mode to what a noisy sampler's step returns, times the noise of that step;
the samplers here add no noise, so the pull changes the estimate of the clean clip that a step goes on with. Without
guidance, ``--set mode-guided.weight=0``, clips are those that ``random@generated`` chooses from, of other noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vdbench.method import Card, Settings, identity
from vdbench_methods.modes import ModesMethod, ModesSettings, of_steps

if TYPE_CHECKING:
    import torch

    from vdbench.generator.pipeline import ClassVideoPipeline
    from vdbench.generator.settings import SamplingSettings


class ModeGuidedSettings(ModesSettings):
    """Settings of mode guidance; the defaults are those of its public scripts."""

    weight: float = identity(
        0.1, "share of the way to its mode that each guided step moves the estimate of a clip; 0 is no guidance", ge=0
    )
    stop: float = identity(0.5, "share of the denoising steps, the last ones, that are not guided", ge=0, le=1)


class ModeGuided(ModesMethod[ModeGuidedSettings]):
    """Samples one clip for each mode of a class, guided towards it while the clip is mostly noise."""

    name: ClassVar[str] = "mode-guided"
    Settings: ClassVar[type[Settings]] = ModeGuidedSettings
    card: ClassVar[Card] = Card(
        "Sampling guided to one cluster mean per clip",
        paper="MGD3: Mode-Guided Dataset Distillation using Diffusion Models, ICML 2025",
        bibtex="""@inproceedings{chansantiago2025mgd3,
  title = {{MGD3}: Mode-Guided Dataset Distillation using Diffusion Models},
  author = {Chan-Santiago, Jeffrey A. and Tirupattur, Praveen and Nayak, Gaurav Kumar and Liu, Gaowen and
            Shah, Mubarak},
  booktitle = {International Conference on Machine Learning},
  year = {2025},
}""",
    )

    def denoised(
        self,
        pipeline: ClassVideoPipeline,
        name: str,
        modes: torch.Tensor,
        noise: torch.Tensor,
        sampling: SamplingSettings,
    ) -> torch.Tensor:
        """Denoise from noise; until the guidance stops, every estimate moves towards its mode."""
        weight, guided = self.settings.weight, sampling.steps - of_steps(self.settings.stop, sampling)

        def steer(step: int, clean: torch.Tensor) -> torch.Tensor:
            return clean + weight * (modes - clean) if step < guided else clean

        return pipeline.denoised(name, noise, sampling, steer=steer if weight else None)

    def steps(self, sampling: SamplingSettings) -> int:
        """Those of the pool."""
        return sampling.steps
