"""The graph of nearest neighbours, where a term asks for one: built once, from the training rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from isthmus.data.batches import Batch, Batches, MemoryBatches
from isthmus.data.features import Features
from isthmus.data.neighbor_draws import NeighborGraph
from isthmus.data.splitting import derive_seed
from isthmus.errors import InputError
from isthmus.estimators.architecture import Architecture
from isthmus.estimators.preparing import Prepared
from isthmus.manifold.fuzzy_graph import fuzzy_graph, fuzzy_weights, mutual
from isthmus.manifold.layout import landmark_isomap
from isthmus.manifold.nearest_neighbors import nearest_neighbors
from isthmus.model import Model
from isthmus.parts.posteriors.places import PlacesCode, Positions
from isthmus.parts.terms import NeighborEmbedding
from isthmus.training.callbacks import announce
from isthmus.training.settings import Settings
from isthmus.training.settling import longest, settle

if TYPE_CHECKING:
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["make_positions", "with_neighbors"]

# Neighbours of a row that have positions cost no network anything.
N_DRAWN = 5
# Steps of settling for each of the model's.
SETTLING = 5
ENCODED_ROWS = 4096


def with_neighbors(
    estimator: BaseAutoencoder,
    prepared: Prepared,
    architecture: Architecture,
    first: Settings | None = None,
) -> Prepared:
    """Let batches bring neighbours of each row: of training rows new ones in every epoch, of others the same.

    Parameters
    ----------
    estimator : estimator
        Its seed draws what is drawn.
    prepared : Prepared
    architecture : Architecture
        Nothing is done if none of its terms looks at neighbours.
    first : Settings, optional
        Of the training that begins; None where it goes on. A first layout then guides the codes, unless there
        is a prior: that has an opinion of its own where codes should lie.
    """
    asking = [term for term in architecture.terms if isinstance(term, NeighborEmbedding)]
    if not asking:
        return prepared
    term, data, seed = asking[0], _in_memory(prepared), estimator.seed_
    n_drawn = N_DRAWN if architecture.torn else 0
    points = _points(prepared.features, data)
    neighbors, distances = _nearest(points, term, None)
    graph = NeighborGraph.of(mutual(_weighted(neighbors, distances, len(points))))
    held_out = prepared.held_out
    if held_out is not None:
        near = _weighted(*_nearest(points, term, _points(prepared.features, held_out)), len(points))
        generator = torch.Generator().manual_seed(derive_seed(seed, 9))
        drawn = NeighborGraph.of(near).draw(generator, n_drawn or 1).to(data.index.device)
        held_out = (
            replace(held_out, near=drawn)
            if architecture.torn
            else replace(held_out, neighbors=data.take(drawn[:, 0]))
        )
    if first is not None and architecture.prior is None:
        random = np.random.RandomState(derive_seed(seed, 10) % 2**32)
        isomap = landmark_isomap(neighbors, distances, architecture.n_components, random)
        layout = torch.from_numpy(isomap).to(data.index.device, torch.float32)
        if architecture.settles:
            announce(estimator.verbose, f"{len(data):,} rows settle among their neighbours")
            n_steps = min(SETTLING * first.scheduled_steps, longest(len(data)))
            layout = settle(layout, graph, n_drawn, term.min_dist, n_steps, seed)
        data = replace(data, layout=layout)
    if architecture.torn:
        data = replace(data, place=torch.arange(len(data), device=data.index.device))
    return replace(prepared, batches=MemoryBatches(data, graph, n_drawn), held_out=held_out)


@torch.no_grad()
def make_positions(model: Model, batches: Batches, settings: Settings) -> Positions | None:
    """Give training rows positions of their own if `model` learns places from them, else return None.

    They start at the first layout, and places at as many of the rows; where training goes on, at the rows'
    codes, and places stay.
    """
    if not isinstance(model.code, PlacesCode) or not isinstance(batches, MemoryBatches):
        return None
    data = batches.data
    if data.layout is not None:
        generator = torch.Generator().manual_seed(derive_seed(settings.seed, 11))
        landmarks = torch.randperm(len(data), generator=generator)[: len(model.code.places)]
        return Positions(data.layout, landmarks.to(data.layout.device), settings.learning_rate)
    was_training = model.training
    model.eval()
    pieces = [data.take(piece) for piece in torch.arange(len(data)).split(ENCODED_ROWS)]
    codes = [model.encode(piece.rows, piece.condition) for piece in pieces]
    model.train(was_training)
    return Positions(torch.cat(codes), None, settings.learning_rate)


def _in_memory(prepared: Prepared) -> Batch:
    name = prepared.name
    if not isinstance(prepared.batches, MemoryBatches):
        raise InputError(
            f"{name}: {prepared.batches.n_rows:,} training rows are read anew in every epoch, and the graph "
            "of their neighbours needs them in memory; give a part of the rows, or chunks to partial_fit"
        )
    if prepared.batches.n_rows < 2:
        raise InputError(f"{name}: 1 sample is no one's neighbour; give 2 rows or more to learn from")
    return prepared.batches.data


def _points(features: Features, batch: Batch) -> NDArray[np.float32]:
    """Return rows as points between which distances mean something; a missing entry is the mean.

    Of arrays in units of the data; of frames as networks see them, in training standard deviations.
    """
    rows = batch.rows.to(features.centre.device)  # the model has not yet brought them to the rows' device
    points = features(rows) if features.in_frame else rows.values * features.scale.to(torch.float32)
    return points.cpu().numpy()


def _nearest(
    points: NDArray[np.float32], term: NeighborEmbedding, queries: NDArray[np.float32] | None
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the positions of each row's neighbours among the training rows, and how far they are."""
    k = min(term.n_neighbors, len(points) - (queries is None))
    return nearest_neighbors(points, k, metric=term.metric, queries=queries)


def _weighted(neighbors: NDArray[np.intp], distances: NDArray[np.float64], n_rows: int) -> csr_array:
    return fuzzy_graph(neighbors, fuzzy_weights(distances), n_rows)
