"""Frozen feature extractors that selectors compare clips by.

The features of a train split are a shared asset: computed once, whatever the number of selectors, IPCs and seeds.
"""

from vdbench.encoders.settings import Encoder, EncoderSettings

__all__ = ["Encoder", "EncoderSettings"]
