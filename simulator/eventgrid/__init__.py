"""Event Grid: topics, event subscriptions, and the one delivery that system and custom topics share."""
