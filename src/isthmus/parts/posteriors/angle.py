"""The angle between a von Mises-Fisher direction and its mean direction, by quadrature in float64.

On the unit sphere of n coordinates the angle t in (0, pi) has a density proportional to
``exp(kappa cos(t)) sin(t)**(n - 2)``. In float32 the terms below, which grow with kappa and n, would cancel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special
from torch import Tensor

__all__ = ["AngleDistribution", "log_area"]

# The density is integrated over so many standard deviations to each side of its mode, as its curvature there
# gives them. What lies beyond is 1e-9 of it at most (n = 3, kappa = 10), and 1e-14 for most n and kappa.
REACH = 12.0
# Gauss-Legendre in each of so many equal cells: the distribution function is 4e-9 off at most, and integrals
# over all cells less, as their errors cancel.
N_CELLS = 64
NODES, WEIGHTS = (np.polynomial.legendre.leggauss(3) + np.array([[1.0], [0.0]])) / 2
PLACES = np.add.outer(np.arange(N_CELLS), NODES).ravel()
LOG_WEIGHTS = np.tile(np.log(WEIGHTS), N_CELLS)
NEWTON_STEPS = 3
# Draws less likely than this, to either side, are not matched in probability.
TAIL = 1e-12


def log_area(n: int) -> float:
    """Return the log of the area of the unit sphere in n coordinates; for n = 1 it is two points."""
    return math.log(2) + 0.5 * n * math.log(math.pi) - math.lgamma(0.5 * n)


@dataclass(frozen=True, eq=False)
class _Table:
    """Integrals of the density from 0 to the edges of its cells, for each of B concentrations."""

    kappa: Tensor  # (B,)
    low: Tensor  # (B,), the first edge
    width: Tensor  # (B,), of a cell
    log_total: Tensor  # (B,), log of the integral of exp(log_density)
    fall: Tensor  # (B,), E[1 - cos(t)]
    probability: Tensor  # (B, N_CELLS + 1)
    drift: Tensor  # (B, N_CELLS + 1), integral of density * (1 - cos(t) - fall)


class AngleDistribution:
    """The distribution of the angle, for directions of `n` coordinates and any concentrations.

    Concentrations are positive, in float64.

    Parameters
    ----------
    n : int
        At least 2.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self._constants: dict[tuple[str, torch.device], Tensor] = {}
        # Between these the length of a normal vector in n - 1 coordinates lies.
        half = 0.5 * (n - 1)
        self.least = math.sqrt(2 * special.gammaincinv(half, TAIL))
        self.most = math.sqrt(2 * special.gammainccinv(half, TAIL))

    def _constant(self, name: str, array: NDArray[np.float64], like: Tensor) -> Tensor:
        """Return an array as a tensor, moved to the device once."""
        key = (name, like.device)
        if key not in self._constants:
            self._constants[key] = torch.as_tensor(array, dtype=torch.float64, device=like.device)
        return self._constants[key]

    def log_normaliser(self, kappa: Tensor) -> Tensor:
        """Return the log of the integral of ``exp(kappa (cos(t) - 1))`` over the sphere, of kappa's shape."""
        return log_area(self.n - 1) + torch.logsumexp(self._pieces(kappa)[1], dim=-1)

    def mean_log_density(self, kappa: Tensor) -> Tensor:
        """Return the mean log-density of directions, their negative entropy, of kappa's shape."""
        t, log_piece = self._pieces(kappa)
        fall = (torch.softmax(log_piece, dim=-1) * _one_minus_cos(t)).sum(dim=-1)
        return -log_area(self.n - 1) - torch.logsumexp(log_piece, dim=-1) - kappa * fall

    def angle(self, length: Tensor, kappa: Tensor) -> Tensor:
        """Return the angle as probable as the length of a normal vector in n - 1 coordinates.

        That is F(angle) = G(length), with F and G the distribution functions: of standard normal vectors'
        lengths it makes draws of the angle. It is smooth, 0 at length 0, and nearly proportional to the
        length where kappa is large. The gradient is that of the implicit equation.

        Parameters
        ----------
        length : Tensor of float64 of shape (K, B)
        kappa : Tensor of float64 of shape (B,)

        Returns
        -------
        Tensor of float64 of shape (K, B)
        """
        with torch.no_grad():
            angle, by_length, by_kappa = self._match(length.T.contiguous(), kappa)  # (B, K)
        along = (length - length.detach()) * by_length.T
        return angle.T + along + (kappa - kappa.detach()) * by_kappa.T

    def _match(self, length: Tensor, kappa: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the angles of lengths (B, K), and their derivatives by the lengths and by kappa."""
        inside = length.clamp(self.least, self.most)
        half = torch.full_like(length[:1, :1], 0.5 * (self.n - 1))
        table = self._tabulate(kappa)
        angle, drift = self._invert(table, torch.special.gammainc(half, 0.5 * inside.square()))
        log_density = self._log_density(angle, kappa[:, None]) - table.log_total[:, None]
        by_length = torch.exp(self._log_length_density(inside) - log_density)
        by_length = torch.where(length > self.most, 0.0, by_length)
        by_kappa = drift * torch.exp(-log_density)
        # Below the least length go on in a straight line, so that no noise means no angle.
        shrink = (length / self.least).clamp(max=1.0)
        by_length = torch.where(length < self.least, angle / self.least, by_length)
        return angle * shrink, by_length, by_kappa * shrink

    def _invert(self, table: _Table, u: Tensor) -> tuple[Tensor, Tensor]:
        """Return the angles t below which the probability is u, of shape (B, K), and the drift up to t."""
        cell = torch.searchsorted(table.probability, u, right=True) - 1
        cell = cell.clamp(0, N_CELLS - 1)
        width = table.width[:, None]
        edge = table.low[:, None] + cell * width
        below = table.probability.gather(1, cell)
        share = self._first_guess(cell, (u - below) / (table.probability.gather(1, cell + 1) - below))
        for _ in range(NEWTON_STEPS):
            t = edge + share * width
            log_density = self._log_density(t, table.kappa[:, None]) - table.log_total[:, None]
            excess = below + self._from_edge(table, edge, t)[0] - u
            # An edge can be a zero of the density, and of its derivative.
            share = (share - excess * torch.exp(-log_density) / width).clamp(1e-14, 1)
        t = edge + share * width
        return t, table.drift.gather(1, cell) + self._from_edge(table, edge, t)[1]

    def _first_guess(self, cell: Tensor, share: Tensor) -> Tensor:
        """Return where in its cell an angle may be, given its share of the cell's probability."""
        # Next to 0 and pi, the probability from there on is a power of the distance; elsewhere, take a line.
        power = 1 / (self.n - 1)
        share = torch.where(cell == 0, share**power, share)
        return torch.where(cell == N_CELLS - 1, 1 - (1 - share) ** power, share)

    def _from_edge(self, table: _Table, edge: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Return probability and drift between a cell's edge and t, of shape (B, K)."""
        span = (t - edge)[..., None]
        nodes = edge[..., None] + span * self._constant("nodes", NODES, span)  # (B, K, 3)
        log_density = self._log_density(nodes, table.kappa[:, None, None]) - table.log_total[:, None, None]
        piece = torch.exp(log_density) * span * self._constant("weights", WEIGHTS, span)
        pull = _one_minus_cos(nodes) - table.fall[:, None, None]
        return piece.sum(dim=-1), (piece * pull).sum(dim=-1)

    def _tabulate(self, kappa: Tensor) -> _Table:
        low, width = self._cells(kappa)
        t, log_piece = self._pieces(kappa)  # (B, N_CELLS * 3)
        share, pull = torch.softmax(log_piece, dim=1), _one_minus_cos(t)
        fall = (share * pull).sum(dim=1)
        log_total = torch.logsumexp(log_piece, dim=1)
        drift = share * (pull - fall[:, None])
        return _Table(kappa, low, width, log_total, fall, _up_to_edges(share), _up_to_edges(drift))

    def _pieces(self, kappa: Tensor) -> tuple[Tensor, Tensor]:
        """Return angles, and logs of the pieces that make up the integral, of shape (..., N_CELLS * 3)."""
        low, width = self._cells(kappa.detach())
        places = self._constant("places", PLACES, kappa)
        t = low[..., None] + width[..., None] * places
        log_weight = width.log()[..., None] + self._constant("log weights", LOG_WEIGHTS, kappa)
        return t, self._log_density(t, kappa[..., None]) + log_weight

    def _cells(self, kappa: Tensor) -> tuple[Tensor, Tensor]:
        """Return where the first cell begins, and how wide each one is."""
        power = self.n - 2
        # The mode solves kappa sin^2 = power cos, and there (log density)'' = -kappa cos - power / sin^2.
        kappa_over_cos = 0.5 * (power + torch.hypot(2 * kappa, torch.full_like(kappa, power)))
        cos = kappa / kappa_over_cos
        mode = torch.atan2((power * cos / kappa).clamp(max=1).sqrt(), cos)
        sd = (kappa * cos + (kappa_over_cos if power else 0)).rsqrt()
        low, high = (mode - REACH * sd).clamp(min=0), (mode + REACH * sd).clamp(max=math.pi)
        return low, (high - low) / N_CELLS

    def _log_density(self, t: Tensor, kappa: Tensor) -> Tensor:
        """Return the log-density of the angle t, but for its integral; exp(-kappa) is taken out of both."""
        return (self.n - 2) * torch.sin(t).log() - kappa * _one_minus_cos(t)

    def _log_length_density(self, length: Tensor) -> Tensor:
        """Return the log-density of the length of a standard normal vector in n - 1 coordinates."""
        constant = 0.5 * (self.n - 3) * math.log(2) + math.lgamma(0.5 * (self.n - 1))
        return (self.n - 2) * length.log() - 0.5 * length.square() - constant


def _one_minus_cos(t: Tensor) -> Tensor:
    return 2 * torch.sin(0.5 * t).square()


def _up_to_edges(pieces: Tensor) -> Tensor:
    """Sum pieces (B, N_CELLS * 3) up to each cell's edges, of shape (B, N_CELLS + 1)."""
    sums = pieces.unflatten(1, (N_CELLS, -1)).sum(dim=2).cumsum(dim=1)
    return torch.cat([torch.zeros_like(sums[:, :1]), sums], dim=1)
