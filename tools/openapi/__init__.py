"""Makes the OpenAPI document of the API: `src/site/openapi.json`.

It is made here and not in the Worker, and served as a file: the Worker would carry its texts, and need more time to
put it together than the platform's free plan gives a whole request.
"""

from pathlib import Path

PATH = Path(__file__).parents[2] / "src" / "site" / "openapi.json"
