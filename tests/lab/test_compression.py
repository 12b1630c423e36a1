from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from isthmus.lab import compression
from isthmus.lab._digits import split_digits
from isthmus.lab.compression import BARE, DIGITS, JPEG, LINEAR, OURS, PHOTOS, Coded


def test_patches_are_cut_line_by_line_and_put_together_again() -> None:
    image = np.arange(16 * 24, dtype=np.uint8).reshape(16, 24)
    rows = compression.patches(image)
    assert rows.shape == (6, 64)
    assert np.array_equal(rows[1].reshape(8, 8), image[:8, 8:16])
    assert np.array_equal(rows[3].reshape(8, 8), image[8:, :8])
    assert np.array_equal(compression.from_patches(rows, image.shape), image)


def test_images_are_halves_of_photographs_and_sheets_of_digits() -> None:
    left, right = compression.photos()
    assert left.shape == right.shape == (848, 320)
    _, coded = compression.sheets_of_digits()
    assert coded.shape == (192, 192)
    found = compression.patches(coded)[5] / 255 * 16
    assert found == pytest.approx(split_digits().test[5], abs=0.04)


def test_psnr_of_an_error_of_one_grey_value() -> None:
    image = np.full((8, 8), 100, dtype=np.uint8)
    assert compression.psnr(image, image + np.uint8(1)) == pytest.approx(20 * np.log10(255))


def test_bits_are_the_entropy_of_each_column() -> None:
    symbols = np.array([[0, 5, 1], [1, 5, 1], [2, 5, 1], [3, 5, 2]])
    assert compression.code_bits(symbols) == pytest.approx(4 * 2 + 0 + 4 * 0.8112781)


def test_codes_are_rounded_by_at_most_half_a_step() -> None:
    codes = np.random.default_rng(0).normal(size=(50, 3))
    steps = np.array([0.1, 1.0, 3.0])
    symbols, rounded = compression.quantise(codes, steps)
    assert (np.abs(rounded - codes) <= steps / 2).all()
    assert np.array_equal(symbols * steps, rounded)


def test_fine_steps_of_an_orthogonal_transform_cost_bits_and_give_the_theorys_error() -> None:
    image = np.random.default_rng(0).integers(40, 215, (160, 160)).astype(np.uint8)
    pca = PCA(random_state=0).fit(compression.patches(image))
    fine, coarse = compression.transform_curve(pca, image, (6, 24))
    # Rounding to steps of 6 has the mean squared error 6 * 6 / 12, rounding the pixels then 1 / 12 more; four
    # times the step saves two bits for each number.
    assert fine.psnr == pytest.approx(10 * np.log10(255**2 / (3 + 1 / 12)), abs=0.1)
    assert fine.bits - coarse.bits == pytest.approx(2, abs=0.3)


def test_jpegs_scan_is_the_file_without_its_headers() -> None:
    image = compression.photos()[1][:160]
    whole, bare = (compression.jpeg(image, header=header) for header in (True, False))
    for with_header, without in zip(whole, bare, strict=True):
        assert np.array_equal(with_header.image, without.image)
        assert 150 < (with_header.bits - without.bits) * image.size / 8 < 400
    assert compression.scan_bytes(b"\xff\xd8..\xff\xda\x00\x04ab12345\xff\xd9") == 5


def test_a_curve_is_read_between_its_points_and_the_best_one_counts() -> None:
    image = np.zeros((8, 8), dtype=np.uint8)
    low = [Coded(1.0, 20.0, image), Coded(3.0, 30.0, image)]
    high = [Coded(2.0, 28.0, image), Coded(2.5, 29.0, image)]
    assert compression.at_rate([low], 2.0) == 25
    assert compression.at_rate([low, high], 2.0) == 28
    assert np.isnan(compression.at_rate([low, high], 4.0))


def test_every_number_fails_where_ways_change_places() -> None:
    image = np.zeros((8, 8), dtype=np.uint8)

    def curve(start: float, slope: float) -> list[list[Coded]]:
        return [[Coded(bits, start + slope * bits, image) for bits in (0.01, 9.0)]]

    fine = {
        PHOTOS: {BARE: curve(25.5, 9), LINEAR: curve(25, 10), OURS: curve(20, 2), JPEG: curve(25, 9)},
        DIGITS: {BARE: curve(10, 5), LINEAR: curve(15, 7), OURS: curve(18, 2), JPEG: curve(9, 5)},
    }
    # At 0.3 bits JPEG must lead by more.
    fine[PHOTOS][BARE] = [[Coded(b, p, image) for b, p in ((0.01, 26), (0.3, 29), (0.6, 31), (9.0, 90))]]
    assert all(number.agrees for number in compression._numbers(fine).values())
    wrong = {
        PHOTOS: {BARE: curve(20, 2), LINEAR: curve(25, 9), OURS: curve(30, 9), JPEG: curve(20, 2)},
        DIGITS: {BARE: curve(25, 7), LINEAR: curve(18, 4), OURS: curve(14, 12), JPEG: curve(25, 7)},
    }
    assert not any(number.agrees for number in compression._numbers(wrong).values())


@pytest.mark.slow
def test_the_claim_is_confirmed() -> None:
    claim = compression.claim()
    assert claim.confirmed, claim.numbers
    assert len(claim.numbers) == 7
