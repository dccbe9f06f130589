"""Makes the OpenAPI document of the API, `src/site/openapi.json`, and the commands of its page.

It is made here and not in the Worker, and served as a file: the Worker would carry its texts, and need more time to
put it together than the platform's free plan gives a whole request.
"""

from pathlib import Path

SITE = Path(__file__).parents[2] / "src" / "site"
PATH = SITE / "openapi.json"
COMMANDS = SITE / "docs" / "commands.json"
