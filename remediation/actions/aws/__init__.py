"""Actions on AWS. Importing them loads no SDK."""
