"""One module a language feature; `register` of each is called by the server."""
