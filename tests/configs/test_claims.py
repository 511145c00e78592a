"""The claims that are shipped: readable, and in agreement with the published results."""

from __future__ import annotations

import pytest

from benchmark import claims, published, registry
from benchmark import suite as suites

PUBLISHED = {
    "dacs-gta5": ("DACS", 52.1),
    "daformer-gta5": ("DAFormer", 68.3),
    "hrda-gta5": ("HRDA(DAFormer)", 73.8),
    "mic-gta5": ("MIC(HRDA)", 75.9),
}


@pytest.mark.parametrize("name", registry.names("claim"))
def test_every_claim_can_be_read_and_says_what_it_needs(name: str) -> None:
    claim = claims.load(name)
    assert claim.needs()
    assert claim.published is None or claim.reason


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_figure_is_the_published_one(name: str) -> None:
    method, value = PUBLISHED[name]
    assert claims.load(name).published == value
    found = {
        each.miou
        for each in published.load()
        if (each.method, each.source, each.domain) == (method, "gta5", "cityscapes")
        if not each.variant and each.classes == 19
    }
    assert value in found


def test_the_study_claims_compare_the_same_cells_but_for_the_encoder() -> None:
    for name in ("encoder-gain-target", "encoder-gain-unseen"):
        needs = claims.load(name).needs()
        swapped = {each.method for each in needs if each.encoder == "eva02-clip-l14"}
        others = {each.method for each in needs if each.encoder != "eva02-clip-l14"}
        assert swapped == others == {"adaptsegnet", "advent", "dacs", "daformer", "mic"}
        assert len({each.domains for each in needs}) == 1


@pytest.mark.parametrize("name", registry.names("suite"))
def test_a_suite_has_every_cell_of_its_claims(name: str) -> None:
    suite = suites.load(name)
    for claim in map(claims.load, suite.claims):
        for need in claim.needs():
            assert need.method in suite.methods
            assert need.encoder in suite.encoders
            assert need.shift in suite.shifts
