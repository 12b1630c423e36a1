"""Draw the README's picture: a map of handwritten digits, and digits beside what ten numbers keep of them.

python examples/picture.py [docs/images/digits.png]
"""

from __future__ import annotations

import sys

import matplotlib
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

from isthmus import Autoencoder
from isthmus.plots import STYLE, MapDisplay, ReconstructionDisplay

output = sys.argv[1] if len(sys.argv) > 1 else "digits.png"
digits = load_digits()
images = (digits.images / 16).astype("float32")  # (1797, 8, 8), pixels in [0, 1]

n_train = 1500

flat_map = Autoencoder(n_components=2, random_state=0).fit(images)
ten = Autoencoder(n_components=10, random_state=0).fit(images[:n_train])

with matplotlib.rc_context(STYLE):
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    MapDisplay.from_estimator(flat_map, images, label=digits.target, label_name="digit", ax=left)
    ReconstructionDisplay.from_estimator(
        ten, images[n_train:], n_images=6, pca_rows=images[:n_train], ax=right
    )
    left.set_xlabel("a code of two numbers")
    right.set_xlabel("codes of ten numbers; images not learned from")
    figure.savefig(output, dpi=130, metadata={"Software": None})
