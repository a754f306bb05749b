"""d4m: the means of k-means clusters in the generator's latent space, noised to a middle level and denoised from there.

As the authors describe it for images, with a generator of clips in place of one of images. Their soft labels, a
teacher's on every view while students train, are the protocol's: ``--set 'protocol.labels=[teacher]'``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vdbench.method import Card, Settings, identity
from vdbench_methods.modes import ModesMethod, ModesSettings, of_steps

if TYPE_CHECKING:
    import torch

    from vdbench.generator.pipeline import ClassVideoPipeline
    from vdbench.generator.settings import SamplingSettings


class D4MSettings(ModesSettings):
    """Settings of D4M; the default is that of its public scripts."""

    strength: float = identity(
        0.7, "share of the denoising steps that are taken, the last ones; 1 starts from noise almost alone", gt=0, le=1
    )


class D4M(ModesMethod[D4MSettings]):
    """Noises the prototypes of a class, which are cluster means, and lets the generator make clips of them."""

    name: ClassVar[str] = "d4m"
    Settings: ClassVar[type[Settings]] = D4MSettings
    card: ClassVar[Card] = Card(
        "Cluster means in latent space, noised and denoised",
        paper="D4M: Dataset Distillation via Disentangled Diffusion Model, CVPR 2024",
        bibtex="""@inproceedings{su2024d4m,
  title = {{D4M}: Dataset Distillation via Disentangled Diffusion Model},
  author = {Su, Duo and Hou, Junjie and Gao, Weizhi and Tian, Yingjie and Tang, Bowen},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2024},
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
        """Denoise from the noised modes."""
        first = sampling.steps - self.steps(sampling)
        return pipeline.denoised(name, pipeline.noised(modes, noise, sampling, first), sampling, first)

    def steps(self, sampling: SamplingSettings) -> int:
        """The share of the pool's steps that the strength says, at least one."""
        return max(1, of_steps(self.settings.strength, sampling))
