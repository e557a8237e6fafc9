"""Stand-ins for Google Cloud's APIs, held to Google's own descriptions of them."""
