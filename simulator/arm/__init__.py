"""The front door every provider shares: sign-in, api-versions, rights, throttles, faults, the log of calls."""
