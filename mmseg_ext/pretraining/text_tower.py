"""A small text tower: open_clip's tokenizer and text transformer, as narrow as MiniDrive's."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from open_clip import SimpleTokenizer
from open_clip.transformer import TextTransformer
from torch import Tensor, nn

CONTEXT = 16


class TextTower(nn.Module):
    """CLIP's text transformer (Radford et al., 2021) as open_clip builds it.

    Args:
        width: channels of the transformer.
        layers: blocks.
        embedding: length of a text's feature, shared with the image side.
    """

    def __init__(self, width: int, layers: int, embedding: int) -> None:
        super().__init__()
        self._tokenize = SimpleTokenizer(context_length=CONTEXT)
        self.transformer = TextTransformer(
            context_length=CONTEXT,
            vocab_size=self._tokenize.vocab_size,
            width=width,
            heads=width // 32,
            layers=layers,
            output_dim=embedding,
        )

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Features (N, embedding) of texts, not normalised; beyond 16 tokens a text is cut."""
        tokens: Tensor = self._tokenize(list(texts))
        features: Tensor = self.transformer(tokens)
        return features

    @torch.no_grad()
    def prompts(self, names: Sequence[str], templates: Sequence[str]) -> Tensor:
        """Unit features (N, embedding) of names: the mean over templates, as CLIP's ensembles.

        Radford et al., "Learning Transferable Visual Models From Natural Language Supervision",
        2021, section 3.1.4.
        """
        each = [
            nn.functional.normalize(self([template.format(name) for name in names]), dim=1)
            for template in templates
        ]
        return nn.functional.normalize(torch.stack(each).mean(0), dim=1)
