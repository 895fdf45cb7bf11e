"""A home's copy in S3: one client, one list of errors, upload, publication."""
