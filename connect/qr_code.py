"""QR codes as the path of an inline SVG: no image that the content security policy would have to let through."""

from __future__ import annotations

from dataclasses import dataclass

from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode


@dataclass(frozen=True, slots=True)
class DrawnCode:
    """``path`` in units of one module; ``size`` with the quiet zone of four modules around it."""

    path: str
    size: int


def qr_code(text: str) -> DrawnCode:
    """Draw the code: each run of dark modules in a row is one rectangle."""
    drawing = QRCode(error_correction=ERROR_CORRECT_M)
    drawing.add_data(text)
    drawing.make(fit=True)
    rows = drawing.get_matrix()
    parts = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            length = next((n for n, dark in enumerate(row[x:]) if not dark), len(row) - x)
            if length:
                parts.append(f"M{x} {y}h{length}v1h-{length}z")
            x += max(length, 1)
    return DrawnCode(path="".join(parts), size=len(rows))
