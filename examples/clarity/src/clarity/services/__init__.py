"""The services that Clarity stands on: storage, the sleep model and messaging."""
