"""State in Table Storage and the work queue. Everything the Guard remembers goes through here."""
