"""The video diffusion model that fills a pool: training, sampling, and how good what it makes is.

A generator is a shared asset, and so is the pool that it fills: sampled once, whatever the number of selectors, IPCs
and seeds. Selectors see the pool and not what made it.
"""

from vdbench.generator.settings import GeneratorSettings

__all__ = ["GeneratorSettings"]
