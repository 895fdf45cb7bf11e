"""Tell people and their monitors how a run went; never in the way of the run itself."""
