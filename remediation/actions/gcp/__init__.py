"""Actions on Google Cloud. Importing them loads no SDK."""
