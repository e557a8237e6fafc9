"""Actions on Azure. Importing them loads no SDK."""
