"""What people see in Slack, built from stored state alone. Pure: no client, no clock, no database."""
