"""Scenarios say what they found when it is not what they wanted, as tests do."""

import pytest

pytest.register_assert_rewrite("tests.rights.scenarios", "tests.rights.worlds")
