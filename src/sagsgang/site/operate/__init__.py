# SPDX-License-Identifier: MPL-2.0
"""``sagsgang operate``: running flows from the command line. Texts are Danish, for operators.

The same rights, acts and trail as on the pages; see ``sagsgang.cases.operating``. Exit codes: 0
done, 1 something was refused or not found, 2 wrong use. With ``--json`` every line is one object.
"""

from __future__ import annotations

import typer

from sagsgang.site.operate import _acting, _governing, _looking, _moving, _sending

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, help="Drift: find forløb, og grib ind i dem, et eller mange."
)
for _part in (_looking, _acting, _governing, _moving, _sending):
    app.registered_commands += _part.app.registered_commands
