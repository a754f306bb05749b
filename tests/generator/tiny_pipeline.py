"""Pipelines of diffusers' own classes that are small enough to be made in a test: random weights, nine words."""

from pathlib import Path

from vdbench.seeding import seeded

FRAMES, HEIGHT, WIDTH = 9, 16, 32
"""What it makes: neither square nor as many frames as a clip has."""
WORDS = ("<pad>", "</s>", "<unk>", "a", "video", "of", "red", "green", "blue")


def save_pipeline(folder: Path) -> Path:
    """A CogVideoX, which takes the size of its videos from its parts."""
    from diffusers import (
        AutoencoderKLCogVideoX,
        CogVideoXDDIMScheduler,
        CogVideoXPipeline,
        CogVideoXTransformer3DModel,
    )
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel

    words = Tokenizer(models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    words.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    with seeded(0):
        pipeline = CogVideoXPipeline(
            PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>", pad_token="<pad>", eos_token="</s>"),
            T5EncoderModel(T5Config(vocab_size=9, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)),
            AutoencoderKLCogVideoX(
                down_block_types=("CogVideoXDownBlock3D",) * 4,
                up_block_types=("CogVideoXUpBlock3D",) * 4,
                block_out_channels=(8, 8, 8, 8),
                latent_channels=4,
                layers_per_block=1,
                norm_num_groups=2,
            ),
            CogVideoXTransformer3DModel(
                num_attention_heads=2,
                attention_head_dim=16,
                in_channels=4,
                out_channels=4,
                time_embed_dim=2,
                text_embed_dim=16,
                num_layers=1,
                sample_width=WIDTH // 8,
                sample_height=HEIGHT // 8,
                sample_frames=FRAMES,
            ),
            CogVideoXDDIMScheduler(),
        )
    pipeline.save_pretrained(folder)
    return folder


def save_image_pipeline(folder: Path) -> Path:
    """One that knows no words and makes no videos."""
    from diffusers import DDIMPipeline, DDIMScheduler, UNet2DModel

    blocks = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
    unet = UNet2DModel(sample_size=8, block_out_channels=(8, 8), norm_num_groups=4, **blocks)
    DDIMPipeline(unet, DDIMScheduler()).save_pretrained(folder)
    return folder
