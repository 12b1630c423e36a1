"""The parts joined into one module: corrupt, encode, decode, and the loss in nats per row."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from isthmus.data.batches import Batch
from isthmus.data.features import Features, Values
from isthmus.parts.corruptions import Corruption
from isthmus.parts.densities import Density

__all__ = ["LIKELIHOOD_TERM", "Model"]

LIKELIHOOD_TERM = "negative_log_likelihood"


class Model(nn.Module):
    """An encoder, a decoder and the likelihood that the decoder's outputs parametrise.

    Parameters
    ----------
    features : Features
        Turns rows in value units into the encoder's inputs.
    encoder : nn.Module
        Maps (B, features.n_inputs) to codes (B, n_components).
    decoder : nn.Module
        Maps codes to the likelihood's parameters (B, density.n_outputs).
    density : Density
        Gives log p(x | z) per entry, in nats of the data as given.
    corruption : Corruption, optional
        What the encoder sees while learning; the loss is always that of the clean row.
    """

    def __init__(
        self,
        features: Features,
        encoder: nn.Module,
        decoder: nn.Module,
        density: Density,
        corruption: Corruption | None = None,
    ) -> None:
        super().__init__()
        self.features = features
        self.encoder = encoder
        self.decoder = decoder
        self.density = density
        self.corruption = corruption
        self.noise = None if corruption is None else corruption.prepare(features.facts(), torch.device("cpu"))

    def set_device(self, device: torch.device) -> None:
        """Move all tensors, those of the corruption too, to `device`."""
        self.to(device)
        if self.corruption is not None:
            self.noise = self.corruption.prepare(self.features.facts(), device)

    def corrupt(self, rows: Values, generator: torch.Generator) -> Values:
        """Draw x~ from C(x~ | x)."""
        if self.corruption is None or self.noise is None:
            return rows
        values, observed = self.corruption.apply(rows.values, rows.observed, self.noise, generator)
        return Values(values, observed, rows.extra)

    def encode(self, rows: Values) -> Tensor:
        """Return the codes, of shape (B, n_components)."""
        return self.encoder(self.features(rows))

    def decode(self, codes: Tensor) -> Tensor:
        """Return the likelihood's parameters, of shape (B, n_outputs)."""
        return self.decoder(codes)

    def log_likelihood(self, outputs: Tensor, rows: Values) -> Tensor:
        """Return log p(x | z) per entry in nats, of shape (B, C), 0 where nothing was observed.

        Nothing is drawn: what a likelihood binarises dynamically counts with its mean over draws.
        """
        log_prob = self.density.log_prob(outputs, rows.values)
        return log_prob if rows.observed is None else torch.where(rows.observed, log_prob, 0.0)

    def loss(self, batch: Batch, generator: torch.Generator) -> dict[str, Tensor]:
        """Return the named terms of the objective, each of shape (B,) in nats per row."""
        codes = self.encode(self.corrupt(batch.rows, generator))
        targets = self.density.targets(batch.rows.values, generator)
        log_prob = self.log_likelihood(self.decode(codes), batch.rows._replace(values=targets))
        return {LIKELIHOOD_TERM: -log_prob.sum(dim=1)}
