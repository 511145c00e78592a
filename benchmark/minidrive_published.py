"""What exported data sets take from the published ones beyond what reading needs.

Readers ask for layouts, ids and encodings, which the data sets' fragments describe. Here are the
rest of a package: names of frames, archives and their inner paths, files beside the labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Place = tuple[str, str]
"""An archive and a path in it."""
Number = int
Values = Mapping[str, str]


@dataclass(frozen=True)
class Package:
    """One data set's package.

    Attributes:
        scenes: the MiniDrive domain that an image selected by these values shows.
        size: width and height where the fragment has none.
        names: what a placeholder stands for in the image of a number, given earlier values.
        companions: (kind, part of the label's path, what stands there instead) of the files beside
            a label; kinds as in `mmseg_ext.datasets.export.companions`.
        archive: the published archive of a path, and the path in it.
        texts: other files by path, never in an archive.
        upscaled: by layout, the size of images that were scaled up while their labels were not.
    """

    scenes: Callable[[Values], str]
    archive: Callable[[str], Place]
    size: tuple[int, int] = (1920, 1080)
    names: Mapping[str, Callable[[Number, Values], str]] = field(default_factory=dict)
    companions: tuple[tuple[str, str, str], ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    upscaled: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def package(name: str) -> Package:
    """The package of a data set; one that is not listed is a single archive of its name."""
    return PACKAGES.get(name, Package(_always("real"), _one(f"{name}.zip")))


def _always(domain: str) -> Callable[[Values], str]:
    return lambda values: domain


def _weather(values: Values) -> str:
    """MiniDrive's domain for a condition such as ``fog`` or ``rain/night``."""
    weather, _, light = values.get("condition", "clear").partition("/")
    return "night" if light == "night" else {"clear": "real"}.get(weather, weather)


def _one(archive: str, folder: str = "") -> Callable[[str], Place]:
    return lambda path: (archive, folder + path)


def _by_start(*rules: tuple[str, str], folder: str = "") -> Callable[[str], Place]:
    """The archive of the first rule whose text a path begins with; an empty one fits all."""

    def place(path: str) -> Place:
        return next(archive for start, archive in rules if path.startswith(start)), folder + path

    return place


_CITIES = ("aachen", "bochum", "bremen")
_SEQUENCES = ("GOPR0475", "GP010475", "GOPR0476")


def _cityscapes_frame(number: Number, values: Values) -> str:
    return f"{values['city']}_{number:06d}_000019"


def _sequence(number: Number, _: Values) -> str:
    return _SEQUENCES[number % len(_SEQUENCES)]


def _gopro_frame(number: Number, values: Values) -> str:
    return f"{_sequence(number, values)}_frame_{41 + number:06d}"


def _gta_frame(number: Number, _: Values) -> str:
    """Frames from both halves of the data set, so that several of its archives hold some."""
    return f"{1 + number // 2 + 12500 * (number % 2):05d}"


def _gta_archive(path: str) -> Place:
    kind, _, frame = path.partition("/")
    number = int(frame.rpartition("/")[2].partition(".")[0])
    return f"{1 + (number - 1) // 2500:02d}_{kind}.zip", path


def _mapillary_key(number: Number, _: Values) -> str:
    from mmseg_ext.datasets.export import key22

    return key22(number)


def _clip(number: Number, _: Values) -> str:
    from mmseg_ext.datasets.export import hex8_hex8

    return hex8_hex8(number)


def _detail(_: Number, values: Values) -> str:
    """Foggy Driving has fine labels for one of its splits and coarse ones for the other."""
    return "Fine" if values["split"] == "test" else "Coarse"


_GOPRO = {"sequence": _sequence, "frame": _gopro_frame}
_ACDC_IMAGES = ("rgb_anon/", "rgb_anon_trainvaltest.zip")
_MAPILLARY = {"frame": _mapillary_key}
_WILDDASH = {"frame": lambda number, _: f"aa{number:04d}_100000"}

PACKAGES: dict[str, Package] = {
    "gta5": Package(_always("synthetic"), _gta_archive, names={"frame": _gta_frame}),
    "synthia": Package(
        _always("synthetic"),
        _one("SYNTHIA_RAND_CITYSCAPES.zip", "RAND_CITYSCAPES/"),
        names={"frame": lambda number, _: f"{number:07d}"},
        companions=(("colour", "GT/LABELS/", "GT/COLOR/"),),
    ),
    "cityscapes": Package(
        _always("real"),
        _by_start(
            ("leftImg8bit/", "leftImg8bit_trainvaltest.zip"), ("", "gtFine_trainvaltest.zip")
        ),
        names={"city": lambda number, _: _CITIES[number % 3], "frame": _cityscapes_frame},
        companions=(
            ("colour", "_labelIds.png", "_color.png"),
            ("instances", "_labelIds.png", "_instanceIds.png"),
        ),
    ),
    "acdc": Package(
        _weather,
        _by_start(_ACDC_IMAGES, ("", "gt_trainval.zip")),
        names=_GOPRO,
        companions=(
            ("colour", "_labelTrainIds.png", "_labelColor.png"),
            ("label ids", "_labelTrainIds.png", "_labelIds.png"),
            ("invalid", "_labelTrainIds.png", "_invIds.png"),
        ),
    ),
    "acdc-reference": Package(
        _always("real"),
        _by_start(_ACDC_IMAGES, ("", "gt_trainval_ref.zip")),
        names=_GOPRO,
        companions=(
            ("colour", "_labelTrainIds.png", "_labelColor.png"),
            ("label ids", "_labelTrainIds.png", "_labelIds.png"),
        ),
    ),
    "bdd100k": Package(
        _always("geo"),
        _by_start(
            ("images/", "bdd100k_images_10k.zip"),
            ("labels/", "bdd100k_sem_seg_labels_trainval.zip"),
            ("", "bdd100k_seg.zip"),
            folder="bdd100k/",
        ),
        names={"frame": _clip},
        companions=(("colour", "/masks/", "/colormaps/"), ("colour", "_train_id", "_train_color")),
    ),
    "mapillary-v1.2": Package(
        _always("geo"),
        _one("mapillary-vistas-dataset_public_v1.2.zip"),
        size=(3264, 2448),
        names=_MAPILLARY,
        companions=(("instances", "/labels/", "/instances/"),),
        texts={"config.json": '{"version": 1.1, "mapping": "public"}\n'},
    ),
    "mapillary-v2.0": Package(
        _always("geo"),
        _one("mapillary-vistas-dataset_public_v2.0.zip"),
        size=(3264, 2448),
        names=_MAPILLARY,
        companions=(("instances", "/labels/", "/instances/"),),
        texts={"config_v2.0.json": '{"version": 2.0, "mapping": "public"}\n'},
    ),
    "dark-zurich": Package(
        _always("night"),
        _by_start(
            ("rgb_anon/train/", "Dark_Zurich_train_anon.zip"),
            ("rgb_anon/test", "Dark_Zurich_test_anon_withoutGt.zip"),
            ("", "Dark_Zurich_val_anon.zip"),
        ),
        names=_GOPRO,
        companions=(
            ("colour", "_labelTrainIds.png", "_labelColor.png"),
            ("invalid", "_labelTrainIds.png", "_invIds.png"),
        ),
    ),
    "nighttime-driving": Package(
        _always("night"),
        _one("NighttimeDrivingTest.zip", "NighttimeDrivingTest/"),
        names={"frame": lambda number, _: f"01_frame_{555 + number:04d}"},
        companions=(("label ids", "_labelTrainIds.png", "_labelIds.png"),),
    ),
    "foggy-zurich": Package(
        _always("fog"),
        _one("Foggy_Zurich.zip", "Foggy_Zurich/"),
        names=_GOPRO,
        companions=(
            ("colour", "gt_labelTrainIds/", "gt_color/"),
            ("label ids", "gt_labelTrainIds/", "gt_labelIds/"),
        ),
    ),
    "foggy-driving": Package(
        _always("fog"),
        _one("Foggy_Driving.zip", "Foggy_Driving/"),
        size=(1280, 960),
        names={"detail": _detail},
        companions=(
            ("colour", "_labelTrainIds.png", "_color.png"),
            ("label ids", "_labelTrainIds.png", "_labelIds.png"),
        ),
    ),
    "wilddash2": Package(_always("geo"), _one("wd_public_v2p0.zip"), names=_WILDDASH),
    "wilddash2-02": Package(_always("geo"), _one("wd_public_02.zip"), names=_WILDDASH),
    "idd": Package(
        _always("geo"),
        _one("idd-segmentation.zip", "IDD_Segmentation/"),
        names={
            "drive": lambda number, _: f"{number % 3}",
            "frame": lambda number, _: f"frame{number:04d}",
        },
    ),
    "urbansyn": Package(
        _always("synthetic"), _by_start(("rgb/", "rgb.zip"), ("ss/", "ss.zip"), ("", "rest.zip"))
    ),
    "synscapes": Package(
        _always("synthetic"),
        _one("Synscapes.zip", "Synscapes/"),
        upscaled={"upscaled": (2048, 1024)},
    ),
    "muses": Package(
        _weather,
        _by_start(
            ("frame_camera/", "RGB_Frame_Camera_trainvaltest.zip"),
            ("", "Semantic_Annotations_trainval.zip"),
            folder="muses/",
        ),
        names={"frame": lambda number, _: f"REC{number:04d}_frame_{100 + number:06d}"},
        companions=(("colour", "_labelTrainIds.png", "_labelColor.png"),),
    ),
}
