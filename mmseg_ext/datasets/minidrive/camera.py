"""A pinhole camera above a flat ground, looking along the street."""

from __future__ import annotations

from dataclasses import dataclass

Pixel = tuple[float, float]


@dataclass(frozen=True)
class Camera:
    """Projects metres to pixels.

    World axes: X to the right, Y up from the ground, Z forward. With the horizon in row hy and
    the vanishing point in column vx, a point lands at x = vx + f X / Z, y = hy + f (h - Y) / Z.
    """

    height: int
    """Rows of the image."""
    width: int
    """Columns of the image."""
    focal: float
    """Focal length in pixels."""
    horizon: float
    """Row of the horizon."""
    vanishing: float
    """Column of the vanishing point."""
    above_ground: float
    """Metres between the ground and the camera."""
    side: int = 1
    """Minus one mirrors left and right (left-hand traffic)."""

    @property
    def near(self) -> float:
        """Distance in metres of the ground seen in the lowest row, a little less for margin."""
        return 0.97 * self.focal * self.above_ground / (self.height - self.horizon)

    def project(self, x: float, y: float, z: float) -> Pixel:
        """Pixel of a point in metres; `z` must be positive."""
        scale = self.focal / z
        return (
            self.vanishing + self.side * scale * x,
            self.horizon + scale * (self.above_ground - y),
        )
