"""The sweep: the fleet is judged on a timer, batch by batch, and goes on where it was killed."""

from shared.sweep.after import told
from shared.sweep.age import measure_age
from shared.sweep.roll_call import roll_call
from shared.sweep.run import Requested, Swept, ask_for_sweep, notice_approval, sweep
from shared.sweep.whose import is_in_scope

__all__ = [
    "Requested",
    "Swept",
    "ask_for_sweep",
    "is_in_scope",
    "measure_age",
    "notice_approval",
    "roll_call",
    "sweep",
    "told",
]
