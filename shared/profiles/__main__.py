"""`python -m shared.profiles > docs/guard.schema.json`"""

import json
import sys

from shared.profiles import json_schema

sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
