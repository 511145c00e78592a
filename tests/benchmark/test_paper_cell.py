"""The main job on real input: GTA5-sized renderings to the two real Cityscapes frames at hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
# Ids of the 19 classes in the files of Cityscapes, by the data set's own table.
SCORED_IDS = (7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33)


@pytest.fixture
def data_root(real_samples: Path, tmp_path: Path) -> Path:
    """GTA5 at its published size, the real frames as train and val, and small unseen domains."""
    from benchmark.minidrive_export import export

    frames = real_samples / "cityscapes"
    if not frames.is_dir():
        pytest.skip("the real Cityscapes frames are not at hand")
    root = tmp_path / "data"
    assert export("gta5", root, images=1).size == (1914, 1052)
    for name in ("bdd100k", "mapillary", "acdc"):
        export(name, root, images=1, size=(256, 32))  # the network sees strips of 1024x128
    for kind in ("leftImg8bit", "gtFine"):
        (root / "cityscapes" / kind).mkdir(parents=True)
        for split in ("train", "val"):
            (root / "cityscapes" / kind / split).symlink_to(frames.resolve() / kind / "train")
    return root


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder with random weights of MiT-B5 in the place of ImageNet's."""
    import torch

    from mmseg_ext.registry import MODELS

    torch.manual_seed(0)
    folder = tmp_path / "weights"
    folder.mkdir()
    encoder = MODELS.build({"type": "MixTransformer", "variant": "b5"})
    torch.save(encoder.state_dict(), folder / "mit-b5.pth")
    return folder


def labelled_pixels(frames: Path) -> list[int]:
    """Pixels of each full-size label that belong to a class, in the order of the file names."""
    return [
        int(np.isin(np.array(Image.open(path)), SCORED_IDS).sum())
        for path in sorted(frames.glob("cityscapes/gtFine/train/*/*_labelIds.png"))
    ]


@pytest.mark.slow
def test_a_cell_of_the_paper_trains_and_is_scored_at_full_size(
    real_samples: Path, data_root: Path, weights: Path, tmp_path: Path
) -> None:
    out = tmp_path / "results"
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "benchmark", "run", "paper"),
            *("--only", "method=dacs,encoder=mit-b5,shift=gta5-cityscapes"),
            *("--seeds", "1", "--iterations", "1", "--threads", "1", "--devices", "cpu"),
            *("--data-root", str(data_root), "--weights", str(weights), "--out", str(out)),
        ],
        cwd=ROOT,
        env={**os.environ, "UDABENCH_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-4000:]

    (path,) = (out / "paper" / "records").glob("*.json")
    text = path.read_text()
    assert str(tmp_path) not in text
    record = json.loads(text)
    assert record["state"] == "done"
    assert {name: each["images"] for name, each in record["metrics"].items()} == {
        "cityscapes": 2,
        "bdd100k": 1,
        "mapillary": 1,
        "acdc": 4,
    }
    assert record["metrics"]["acdc"]["groups"].keys() == {"fog", "night", "rain", "snow"}
    domains = record["diagnostics"]["domains"]
    assert domains["cityscapes"]["test"]["layout"] == "official"
    assert domains["mapillary"]["label_map"] == "robustnet"
    assert {each["evaluation"] for each in domains.values()} == {"daformer"}

    # Native size: every labelled pixel of the full-size frames is counted, none twice.
    counts = np.load(out / "paper" / record["diagnostics"]["confusion"]["file"])["cityscapes"]
    assert counts.sum(axis=(1, 2)).tolist() == labelled_pixels(real_samples)

    row = next(line for line in finished.stdout.splitlines() if line.startswith("DACS"))
    assert f"{record['metrics']['cityscapes']['miou']:.1f}" in row
    assert "by the map robustnet" in finished.stdout
