"""Controls: what makes a cluster restorable, judged one small question at a time."""
