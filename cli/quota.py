"""The shared quota of one process: nobody else shares it."""

from dataclasses import replace

from shared.ports import QuotaRow


class MemoryQuota:
    """`ports.SharedQuota` without storage."""

    def __init__(self) -> None:
        self._rows: dict[str, QuotaRow] = {}

    async def get(self, subscription_id: str) -> QuotaRow:
        key = subscription_id.lower()
        return self._rows.get(key) or QuotaRow(key, not_before=None, in_flight={})

    async def save(self, row: QuotaRow) -> QuotaRow:
        self._rows[row.subscription_id.lower()] = row = replace(row, etag="here")
        return row
