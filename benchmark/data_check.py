"""Whether the files of downloaded data sets are what training and scoring will expect."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import domains, paths
from benchmark.data_findings import (
    ERROR,
    NOTE,
    WARNING,
    DomainReport,
    SplitReport,
    Tally,
    add_problem,
)
from benchmark.errors import UdabenchError
from benchmark.registry import Fragment

if TYPE_CHECKING:
    from mmseg_ext.datasets.files import Listing
    from mmseg_ext.datasets.inspection import Finding, Rules, Subject
    from mmseg_ext.datasets.inspection_log import InspectionLog
    from mmseg_ext.datasets.layouts import Match

SPLITS = ("train", "test")
_CHUNK = 8  # images that a worker process reads at a time

Progress = Callable[[int, int], None]


def check(
    domain: Fragment,
    folder: Path,
    processes: int,
    progress: Progress,
    listings: dict[Path, Listing] | None = None,
) -> DomainReport:
    """Read every image and label of a domain below a data set's folder.

    What was read before and has not changed since is taken from the log in the cache folder.
    ``listings`` keeps what lies in a folder, for the other domains of the same data set.

    Raises:
        UdabenchError: the cache folder cannot be written, or a worker process died.
    """
    from mmseg_ext.datasets.export import is_marker
    from mmseg_ext.datasets.files import scan
    from mmseg_ext.errors import ExtensionError

    dataset = domains.dataset_of(domain)
    report = DomainReport(domain.name, dataset.name, domain.require("label_map"), str(folder))
    report.excluded = dict(dataset.values.get("excluded", {}))
    listings = {} if listings is None else listings
    try:
        listing = listings[folder] = listings.get(folder) or scan(folder)
    except ExtensionError as error:
        add_problem(report.problems, "no folder", ERROR, str(error))
    else:
        report.is_there = True
        report.is_export = any("/" not in name and is_marker(name) for name in listing.files)
        _judge_listing(report, listing)
        used = [split for split in SPLITS if domain.require(split) is not None]
        found = [_find(domain, split, listing, report) for split in used]
        report.splits = [part.report for part in found]
        sizes = () if report.is_export else dataset.values.get("sizes", ())
        tally = partial(Tally, sizes=sizes)
        _inspect(domain, listing, found, tally, processes, progress)
    if not report.ready or any(s.images < (s.published or 0) for s in report.splits):
        card = dataset.card
        report.download = {key: card[key] for key in ("url", "access", "packages") if key in card}
    return report


@dataclass
class _Part:
    """A split's report, and what is to be read of it."""

    report: SplitReport
    subjects: list[Subject] = field(default_factory=list)


def _judge_listing(report: DomainReport, listing: Listing) -> None:
    for text in listing.problems:
        damaged = text.startswith(tuple(f"{path}:" for path in listing.damaged))
        kind, level = ("damaged archive", ERROR) if damaged else ("unusable name or link", WARNING)
        add_problem(report.problems, kind, level, text)
    add_problem(report.problems, "archive to be unpacked", WARNING, *listing.sealed)


def _find(domain: Fragment, split: str, listing: Listing, whole: DomainReport) -> _Part:
    """What of a split is there. A training split without labels can still be adapted to."""
    from mmseg_ext.errors import EmptyDomainError, ExtensionError

    counts = {} if whole.is_export else domain.values.get("counts", {})
    report = SplitReport(split, published=counts.get(split))
    labelled = split not in domain.values.get("unlabelled_splits", ())
    try:
        return _matched(domain, split, listing, report, labelled=labelled)
    except EmptyDomainError as error:
        problem = str(error)
    except ExtensionError as error:
        report.report("unreadable list of files or segments", ERROR, str(error))
        return _Part(report)
    if split == "train" and labelled and domain.require("test") is not None:
        try:
            part = _matched(domain, split, listing, report, labelled=False)
        except ExtensionError:
            pass
        else:
            text = f"{report.images} images; they can be adapted to, not trained on with labels"
            report.report("no labels at all", WARNING, text)
            return part
    report.report("nothing found", ERROR, problem)
    return _Part(report)


def _matched(
    domain: Fragment, split: str, listing: Listing, report: SplitReport, *, labelled: bool
) -> _Part:
    from mmseg_ext.datasets.inspection import Subject
    from mmseg_ext.datasets.layouts import Layout, find
    from mmseg_ext.datasets.panoptic import segments_of

    given = domains.as_published(domain, split, labelled=labelled)
    layouts = [Layout(**each) for each in given["layouts"]]
    found = find(listing, layouts, given["placeholders"], given["where"])
    segments = segments_of(listing, found) if found.layout.segments else {}
    excluded = set(given["excluded"])
    kept = [sample for sample in found.samples if Path(sample.image).stem not in excluded]
    report.layout = found.layout.name
    report.images = len(found.samples)
    report.labels = report.images - len(found.unlabelled) if labelled else 0
    report.excluded = report.images - len(kept)
    _judge_match(report, found, excluded, partly_labelled=given["partly_labelled"])
    return _Part(
        report,
        [
            Subject(each.image, each.label, _of_label(segments, each.label))
            for each in kept
            if each.label is not None or not (labelled and given["partly_labelled"])
        ],
    )


def _of_label(segments: Mapping[str, Mapping[int, int]], label: str | None) -> Any:
    return segments.get(label.rpartition("/")[2]) if label is not None else None


def _judge_match(
    report: SplitReport, found: Match, excluded: set[str], *, partly_labelled: bool
) -> None:
    missing = [path for path in found.unlabelled if Path(path).stem not in excluded]
    report.report("image without a label", NOTE if partly_labelled else ERROR, *missing)
    report.report("label without an image", WARNING, *found.orphans)
    report.report("file there twice", WARNING, *found.duplicates)
    report.report("named in a list, but missing", WARNING, *found.absent)
    if report.published is not None and report.images != report.published:
        few = report.images < report.published
        kind = "fewer images than published" if few else "more images than published"
        text = f"{report.images} of {report.published}"
        report.report(kind, WARNING, text)


def _inspect(
    domain: Fragment,
    listing: Listing,
    parts: list[_Part],
    tallied: Callable[..., Tally],
    processes: int,
    progress: Progress,
) -> None:
    from mmseg_ext.datasets.inspection import Rules
    from mmseg_ext.datasets.inspection_log import InspectionLog, log_name
    from mmseg_ext.errors import ExtensionError

    reader = domains.as_published(domain, parts[0].report.split, labelled=True)["pipeline"][-1]
    optional = {key: reader[key] for key in ("fit", "names") if key in reader}
    rules = Rules(reader["decoder"], tuple(reader["values"]), **optional)
    dataset = domains.dataset_of(domain)
    path = paths.cache_root() / "data_check" / f"{dataset.name}-{log_name(rules)}.log"
    total, done = sum(len(part.subjects) for part in parts), 0
    try:
        with InspectionLog(path) as log:
            for part in parts:
                tally = tallied(reader["label_map"])
                for subject, finding in _findings(listing, part.subjects, rules, log, processes):
                    tally.add(part.report, subject, finding)
                    done += 1
                    progress(done, total)
                tally.finish(part.report)
    except ExtensionError as error:
        raise UdabenchError(str(error)) from error
    except OSError as error:
        message = f"{path}: {error.strerror or error}; UDABENCH_CACHE moves the cache"
        raise UdabenchError(message) from error


def _findings(
    listing: Listing, subjects: list[Subject], rules: Rules, log: InspectionLog, processes: int
) -> Iterator[tuple[Subject, Finding]]:
    """What is known of the subjects, and then what reading the others finds."""
    from mmseg_ext.datasets.inspection import inspect_all
    from mmseg_ext.datasets.inspection_log import key_of
    from mmseg_ext.datasets.processes import in_processes

    root = str(listing.root)
    unread = []
    for subject in subjects:
        # The key is taken before reading: a file that changes meanwhile is read again next time.
        key = key_of(root, subject)
        known = log.get(key)
        if known is None:
            unread.append((key, subject))
        else:
            yield subject, known
    keys = {subject.image: key for key, subject in unread}
    chunks = _chunks([subject for _, subject in unread])
    workers = min(processes, -(-len(unread) // _CHUNK))
    for chunk, findings in in_processes(partial(inspect_all, root, rules), chunks, workers):
        log.append((keys[s.image], f) for s, f in zip(chunk, findings, strict=True))
        yield from zip(chunk, findings, strict=True)


def _chunks(subjects: list[Subject]) -> Iterator[tuple[Subject, ...]]:
    remaining = iter(subjects)
    while chunk := tuple(islice(remaining, _CHUNK)):
        yield chunk
