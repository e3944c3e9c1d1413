"""`doctor`: is what was deployed as it must be? `reading` looks, the checks judge what was seen, `report` says it."""
