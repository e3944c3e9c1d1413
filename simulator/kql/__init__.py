"""The Kusto query language over Python rows: what Resource Graph and Log Analytics are answered with."""
