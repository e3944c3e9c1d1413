"""The whole project on one machine: a story of a dozen clusters, told live and proven at its end."""
