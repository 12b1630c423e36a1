"""The parts joined into one module: corrupt, encode, sample, decode, and the loss in nats per row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from isthmus.data.batches import Batch
from isthmus.data.features import Features, Values
from isthmus.parts.bounds import ELBO, Bound, ImportanceWeighted
from isthmus.parts.corruptions import Corruption
from isthmus.parts.densities import Density
from isthmus.parts.doubly_reparametrised import importance_weighted_bound
from isthmus.parts.posteriors.base import Code, DiscreteCode
from isthmus.parts.posteriors.places import PlacesCode, Positions
from isthmus.parts.priors.autoregressive import AutoregressivePrior
from isthmus.parts.priors.base import LatentPrior
from isthmus.parts.terms.base import Step, TermModule

__all__ = ["BOUND_TERM", "LIKELIHOOD_TERM", "Model", "Opponent"]

LIKELIHOOD_TERM = "negative_log_likelihood"
BOUND_TERM = "negative_bound"
COMMITMENT_TERM = "commitment"
PLACEMENT_TERM = "placement"


@dataclass(frozen=True, eq=False)
class Opponent:
    """A module with a loss of its own, trained beside the networks inside the same step."""

    module: nn.Module
    rate: float
    betas: tuple[float, float]
    loss: Callable[[Step], Tensor]


class Model(nn.Module):
    """An encoder, a code, a decoder and the likelihood that the decoder's outputs parametrise.

    Parameters
    ----------
    features : Features
        Turns rows in value units into the encoder's inputs.
    encoder : nn.Module
        Maps inputs (B, features.n_inputs + E) to (B, code.n_outputs); E is the width of the condition.
    decoder : nn.Module
        Maps codes and condition (B, D + E) to the likelihood's parameters (B, density.n_outputs).
    density : Density
        Gives log p(x | z) per entry, in nats of the data as given.
    code : Code
        q(z | x), given the encoder's outputs.
    corruption : Corruption, optional
        What the encoder sees while learning; the loss is always that of the clean row.
    prior : LatentPrior, optional
        p(z).
    bound : Bound
        How log p(x) is bounded, for codes that are drawn.
    divergence : TermModule, optional
        KL(q || p), the bound's other half.
    terms : sequence of TermModule
        What else is asked of the code.
    condition : Features, optional
        Turns a row's condition into what encoder and decoder are told beside it.

    Attributes
    ----------
    positions : Positions or None
        While a model learns to tell places: where its training rows are.
    """

    positions: Positions | None

    def __init__(
        self,
        features: Features,
        encoder: nn.Module,
        decoder: nn.Module,
        density: Density,
        code: Code,
        corruption: Corruption | None = None,
        *,
        prior: LatentPrior | None = None,
        bound: Bound | None = None,
        divergence: TermModule | None = None,
        terms: Sequence[TermModule] = (),
        condition: Features | None = None,
    ) -> None:
        super().__init__()
        self.features = features
        self.encoder = encoder
        self.decoder = decoder
        self.density = density
        self.code = code
        self.corruption = corruption
        self.prior = prior
        self.bound = bound or ELBO()
        self.divergence = divergence
        self.terms = nn.ModuleList(terms)
        self.condition = condition
        self.positions = None
        self.noise = None if corruption is None else corruption.prepare(features.facts(), torch.device("cpu"))

    def set_device(self, device: torch.device) -> None:
        """Move all tensors, those of the corruption too, to `device`."""
        self.to(device)
        if self.corruption is not None:
            self.noise = self.corruption.prepare(self.features.facts(), device)

    # From rows to codes and back ----------------------------------------------------------------------------

    def corrupt(self, rows: Values, generator: torch.Generator) -> Values:
        """Draw x~ from C(x~ | x)."""
        if self.corruption is None or self.noise is None:
            return rows
        values, observed = self.corruption.apply(rows.values, rows.observed, self.noise, generator)
        return Values(values, observed, rows.extra)

    def encoder_outputs(self, rows: Values, condition: Tensor | None = None) -> Tensor:
        """Return the parameters of q(z | x), of shape (B, code.n_outputs)."""
        return self.encoder(_beside(self.features(rows), condition))

    def encode(self, rows: Values, condition: Tensor | None = None) -> Tensor:
        """Return the codes that stand for rows, of shape (B, D): nothing is drawn."""
        return self.code.code(self.encoder_outputs(rows, condition))

    def decode(self, codes: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the likelihood's parameters, of shape (B, n_outputs)."""
        return self.decoder(_beside(codes, condition))

    def log_likelihood(self, outputs: Tensor, rows: Values) -> Tensor:
        """Return log p(x | z) per entry in nats, of shape (B, C), 0 where nothing was observed.

        Nothing is drawn: what a likelihood binarises dynamically counts with its mean over draws.
        """
        log_prob = self.density.log_prob(outputs, rows.values)
        return log_prob if rows.observed is None else torch.where(rows.observed, log_prob, 0.0)

    def log_likelihood_of_draws(self, z: Tensor, rows: Values, condition: Tensor | None = None) -> Tensor:
        """Return log p(x | z) of each row, of shape (K, B), for codes of shape (K, B, D)."""
        n_draws, n_rows, _ = z.shape
        if n_draws > 1 and condition is not None:
            condition = condition.repeat(n_draws, 1)
        outputs = self.decode(z.reshape(n_draws * n_rows, -1), condition)
        return self.density.row_log_prob(outputs.view(n_draws, n_rows, -1), rows.values, rows.observed)

    def anchors(self) -> Tensor | None:
        """Return what the prior needs of the networks to give densities and draws."""
        return None if self.prior is None else self.prior.anchors(self.encoder)

    def log_weights(
        self,
        outputs: Tensor,
        z: Tensor,
        rows: Values,
        condition: Tensor | None = None,
        anchors: Tensor | None = None,
        beta: float = 1.0,
    ) -> Tensor:
        """Return log p(x, z) - log q(z | x) of draws z of shape (K, B, D), of shape (K, B).

        The mean of their exponentials is an unbiased estimate of p(x), for beta = 1.
        """
        assert self.prior is not None
        log_ratio = self.prior.log_prob(z, anchors) - self.code.log_prob(outputs, z)
        return self.log_likelihood_of_draws(z, rows, condition) + beta * log_ratio

    # Learning -----------------------------------------------------------------------------------------------

    def run(self, batch: Batch, generator: torch.Generator, share: float = 1.0) -> tuple[Step, Tensor]:
        """Take a batch to its codes: draw targets, corrupt, encode, sample.

        Returns
        -------
        step : Step
        z : Tensor of shape (K, B, D)
            The draws that the bound asks for.
        """
        rows = self._drawn(batch.rows, generator)
        seen = self.corrupt(rows, generator)
        outputs = self.encoder_outputs(seen, batch.condition)
        if self.training:
            self.code.update(outputs.detach(), generator, batch.weight)
        z = self._draws(batch, outputs, generator)
        encode = partial(self.encoder_outputs, condition=batch.condition)
        step = Step(
            rows=rows,
            seen=seen,
            outputs=outputs,
            codes=z[0],
            encode=encode,
            encoder=self.encoder,
            features=self.features,
            code=self.code,
            prior=self.prior,
            anchors=self.anchors(),
            labels=batch.labels,
            generator=generator,
            share=share,
            weight=batch.weight,
            near_codes=self._near_codes(batch, generator),
            layout=batch.layout,
        )
        return step, z

    def _drawn(self, rows: Values, generator: torch.Generator) -> Values:
        """Binarise what a likelihood binarises anew: it is the row itself that encoder and loss see so."""
        values = self.density.targets(rows.values, generator)
        return rows if values is rows.values else rows._replace(values=values)

    def _draws(self, batch: Batch, outputs: Tensor, generator: torch.Generator) -> Tensor:
        """Draw codes, of shape (K, B, D); rows that have a position of their own are there."""
        if self.positions is None or batch.place is None:
            return self.code.sample(outputs, self._code_noise(outputs, generator))
        assert isinstance(self.code, PlacesCode)
        self.code.follow(self.positions)
        return self.positions.at(batch.place)[None]

    def _near_codes(self, batch: Batch, generator: torch.Generator) -> Tensor | None:
        """Return the codes of rows' neighbours, (B, M, D): their positions, or encoded as rows are seen.

        Of a posterior it is the code that stands for it.
        """
        if self.positions is not None and batch.near is not None:
            return self.positions.at(batch.near)
        if batch.neighbors is None:
            return None
        near = batch.neighbors
        seen = self.corrupt(self._drawn(near.rows, generator), generator)
        return self.encode(seen, near.condition)[:, None]

    def _code_noise(self, outputs: Tensor, generator: torch.Generator) -> Tensor:
        n_draws = self.bound.k if isinstance(self.bound, ImportanceWeighted) else 1
        shape = (n_draws, len(outputs), self.code.n_components)
        if not self.code.stochastic:
            return outputs.new_empty(1, 1, 1)
        return torch.randn(shape, generator=generator, dtype=outputs.dtype, device=outputs.device)

    def objective(self, step: Step, z: Tensor, condition: Tensor | None = None) -> dict[str, Tensor]:
        """Return the named, weighted terms of the objective: (B,) in nats per row, or a scalar for all."""
        terms: dict[str, Tensor] = {}
        if isinstance(self.bound, ImportanceWeighted):
            terms[BOUND_TERM] = -self._importance_weighted(step, z, condition)
        else:
            terms[LIKELIHOOD_TERM] = -self.log_likelihood_of_draws(z, step.rows, condition)[0]
        penalty = self.code.penalty(step.outputs)
        if penalty is not None:
            terms[COMMITMENT_TERM] = penalty
        if isinstance(self.code, PlacesCode) and step.near_codes is not None:
            # A row that has no position yet should be told to lie where its neighbours are.
            targets = z[0][:, None] if self.training else step.near_codes
            terms[PLACEMENT_TERM] = self.code.surprise(step.outputs, targets.detach())
        for term in self._added_terms():
            terms[term.name] = term.weight_at(step.share) * term(step)
        return terms

    def _added_terms(self) -> Iterator[TermModule]:
        if self.divergence is not None and not isinstance(self.bound, ImportanceWeighted):
            yield self.divergence
        yield from self.terms  # type: ignore[misc]

    def _importance_weighted(self, step: Step, z: Tensor, condition: Tensor | None) -> Tensor:
        beta = self.divergence.weight_at(step.share) if self.divergence is not None else 1.0
        outputs = step.outputs.detach()  # log q's own parameters are held fixed

        def log_weights(draws: Tensor) -> Tensor:
            return self.log_weights(outputs, draws, step.rows, condition, step.anchors, beta)

        return importance_weighted_bound(z, log_weights, beta)

    def loss(self, batch: Batch, generator: torch.Generator, share: float = 1.0) -> dict[str, Tensor]:
        """Return the named terms of the objective on a batch."""
        step, z = self.run(batch, generator, share)
        return self.objective(step, z, batch.condition)

    @property
    def ramp(self) -> float:
        """The share of the schedule after which every term's weight is final, and codes have settled."""
        terms = [*self.terms, *([] if self.divergence is None else [self.divergence])]
        return max(
            (max(term.ramp, term.unsettled) for term in terms if isinstance(term, TermModule)), default=0.0
        )

    def opponents(self) -> dict[str, Opponent]:
        """Return what learns beside the networks, by the name of its part."""
        found = {
            term.name: Opponent(term.opponent, term.opponent_rate, term.opponent_betas, term.opponent_loss)
            for term in self.terms
            if isinstance(term, TermModule) and term.opponent is not None
        }
        if isinstance(self.prior, AutoregressivePrior):
            found["prior"] = Opponent(self.prior, 1.0, (0.9, 0.999), self._tokens_loss)
        return found

    def _tokens_loss(self, step: Step) -> Tensor:
        assert isinstance(self.code, DiscreteCode)
        assert isinstance(self.prior, AutoregressivePrior)
        with torch.no_grad():
            tokens = self.code.indices(step.outputs)
        return self.prior.companion_loss(tokens, step.weight)

    def own_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that the objective trains: all but the opponents'."""
        others = {id(p) for opponent in self.opponents().values() for p in opponent.module.parameters()}
        return [parameter for parameter in self.parameters() if id(parameter) not in others]


def _beside(tensor: Tensor, condition: Tensor | None) -> Tensor:
    return tensor if condition is None else torch.cat([tensor, condition], dim=1)
