"""What is done with a home between crawls: look, verify, prune, upload, hand out, restore."""
