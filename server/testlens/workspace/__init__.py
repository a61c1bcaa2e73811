"""One workspace folder: its snapshot, its jobs, its watcher and its store."""
