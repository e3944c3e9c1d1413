"""`python -m shared.plan.compliance > docs/controls.md`"""

import sys

from shared.plan.compliance.handbook import handbook

sys.stdout.write(handbook())
