"""The run report: one HTML file that explains a run to a person."""
