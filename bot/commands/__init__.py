"""The words of the `countersign` command, one file per noun. What a word needs is imported when it runs."""
